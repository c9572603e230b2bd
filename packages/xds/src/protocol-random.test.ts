import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeltaRequest, DeltaResponse, ProtocolEvent, StreamEvent } from "./events.ts";
import { DeltaStream } from "./protocol.ts";
import type { ResourceSet } from "./resource.ts";
import { EnvoyModel } from "./testkit/envoy-model.ts";
import {
  changedMesh,
  KINDS,
  type ModelMesh,
  type Random,
  randomMesh,
  seededRandom,
  toResourceSet,
} from "./testkit/model-content.ts";
import { TYPE_URL } from "./type-url.ts";

/** One client and one server with two wires between them, on which messages wait until they are let through. */
class Wires {
  readonly envoy: EnvoyModel;
  readonly random: Random;
  set: ResourceSet;
  mesh: ModelMesh;
  server = new DeltaStream();
  toServer: DeltaRequest[] = [];
  toClient: DeltaResponse[] = [];
  sent: DeltaResponse[] = [];
  reports: StreamEvent[] = [];
  readonly #inFlight = new Set<string>();

  constructor(random: Random, mesh: ModelMesh) {
    this.random = random;
    this.envoy = new EnvoyModel(random);
    this.mesh = mesh;
    this.set = toResourceSet(mesh, undefined);
    this.reconnect();
  }

  reconnect(): void {
    this.envoy.reconnect();
    this.server = new DeltaStream();
    this.toServer = [];
    this.toClient = [];
    this.sent = [];
    this.reports = [];
    this.#inFlight.clear();
    if (this.random(2) === 0) this.tell({ event: "set", set: this.set });
    this.speak();
    this.tell({ event: "set", set: this.set });
  }

  update(mesh: ModelMesh): void {
    this.mesh = mesh;
    this.set = toResourceSet(mesh, this.set);
    this.tell({ event: "set", set: this.set });
  }

  tell(event: ProtocolEvent): void {
    for (const output of this.server.handle(event)) {
      if (output.output === "fail") assert.fail(output.reason);
      if (output.output === "report") this.reports.push(output.event);
      if (output.output === "send") this.#send(output.response);
    }
  }

  speak(): void {
    this.toServer.push(...this.envoy.requests());
  }

  deliverToServer(): boolean {
    const request = this.toServer.shift();
    if (request === undefined) return false;
    if (request.nonce !== "") this.#inFlight.delete(request.typeUrl);
    this.tell({ event: "request", request });
    return true;
  }

  deliverToClient(): boolean {
    const response = this.toClient.shift();
    if (response === undefined) return false;
    this.envoy.receive(response);
    if (this.random(4) > 0) this.speak();
    return true;
  }

  settle(): void {
    for (let moves = 0; ; moves += 1) {
      assert.ok(moves < 1_000, "it never comes to rest");
      this.speak();
      if (this.deliverToServer() || this.deliverToClient()) continue;
      return;
    }
  }

  #send(response: DeltaResponse): void {
    assert.ok(!this.#inFlight.has(response.typeUrl), "two responses of one type are in flight");
    this.#inFlight.add(response.typeUrl);
    this.toClient.push(response);
    this.sent.push(response);
  }
}

function step(wires: Wires, badPercent: number): void {
  const choice = wires.random(20);
  if (choice < 8) wires.deliverToClient();
  else if (choice < 15) wires.deliverToServer();
  else if (choice < 16) wires.speak();
  else if (choice < 19) wires.update(changedMesh(wires.random, badPercent, wires.mesh));
  else wires.reconnect();
}

/** Everything wanted is held, but for what was refused; nothing else is. */
function assertConverged({ envoy, mesh, set, reports }: Wires): void {
  assert.deepEqual([...envoy.warming.keys()], [], "clusters are left warming");
  assert.deepEqual([...envoy.warmingListeners.keys()], [], "listeners are left waiting");
  const clusters = new Map([...envoy.active].map(([name, { content }]) => [name, content]));
  for (const [kind, typeUrl] of KINDS) {
    const held = kind === "clusters" ? clusters : envoy[kind];
    for (const [name, content] of Object.entries(mesh[kind])) {
      const isTold = !envoy.untold.has(`${typeUrl}/${name}`) && !content.startsWith("!");
      if (isTold && envoy.isWatched(typeUrl, name)) assert.equal(held.get(name), content, `${name} is out of date`);
    }
  }
  const keepsOld = [...Object.values(mesh.listeners), ...Object.values(mesh.routes)].some((each) =>
    each.startsWith("!"),
  );
  if (!keepsOld) assertNoMore(TYPE_URL.cluster, clusters, mesh.clusters, envoy.untold);
  assertNoMore(TYPE_URL.listener, envoy.listeners, mesh.listeners, envoy.untold);
  const last = reports.at(-1);
  assert.ok(last?.event === "synced" && last.set === set, "the end is not reported");
}

function assertNoMore(
  typeUrl: string,
  held: ReadonlyMap<string, string>,
  wanted: Readonly<Record<string, string>>,
  excused: ReadonlySet<string>,
): void {
  for (const name of held.keys())
    assert.ok(name in wanted || excused.has(`${typeUrl}/${name}`), `${name} should not be there`);
}

/** A control plane that starts anew over the same content has nothing to say to a client that comes back. */
function assertRestartIsSilent(wires: Wires): void {
  wires.reconnect();
  wires.settle();
  const news = wires.sent.filter(({ resources }) => resources.length > 0);
  assert.deepEqual(news, [], "a restart sends again what the client has");
}

function play(seed: number): void {
  const random = seededRandom(seed);
  const badPercent = [0, 0, 5, 25][random(4)] ?? 0;
  const wires = new Wires(random, randomMesh(random, badPercent));
  if (random(2) === 0) wires.settle();
  for (let steps = random(18); steps > 0; steps -= 1) step(wires, badPercent);
  wires.settle();
  wires.tell({ event: "grace-over" });
  wires.settle();
  assertConverged(wires);
  if (badPercent === 0) assertRestartIsSilent(wires);
}

test("DeltaStream converges in 100,000 random interleavings of update, ACK, NACK, disconnect and reconnect", () => {
  const first = Number(process.env["XDS_SEED"] ?? 1);
  const runs = Number(process.env["XDS_RUNS"] ?? 100_000);
  for (let seed = first; seed < first + runs; seed += 1) {
    try {
      play(seed);
    } catch (cause) {
      throw new Error(`Cannot converge with seed ${seed}: run again with XDS_SEED=${seed} XDS_RUNS=1`, { cause });
    }
  }
});
