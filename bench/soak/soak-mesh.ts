import assert from "node:assert/strict";
import { stringify } from "yaml";
import { setTimeout as sleep } from "node:timers/promises";
import { application } from "../../test/support/application.ts";
import { ControlPlaneProcess } from "../../test/support/control-plane-process.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freePorts } from "../../test/support/free-ports.ts";
import { envoyOf } from "../../test/support/kill-sidecar.ts";
import { ALLOW_ALL, Mesh, meshService, type Sidecar } from "../../test/support/lab.ts";
import { ask } from "../../test/support/traffic.ts";
import type { Cleanup } from "../support/cleanup.ts";

const INSTANCES = 2;
/** Short, so that certificates are replaced all the time. */
const CERTIFICATE_LIFE = "60s";

/** A caller and two instances of a service, with what can happen to them. */
export class SoakMesh {
  readonly #mesh: Mesh;
  readonly #controlPlane: ControlPlaneProcess;
  readonly #random: (limit: number) => number;
  readonly #port: number;
  #instances: readonly Sidecar[] = [];
  #url = "";
  #made = 0;
  #authority = 1;

  private constructor(mesh: Mesh, controlPlane: ControlPlaneProcess, port: number, random: (limit: number) => number) {
    this.#mesh = mesh;
    this.#controlPlane = controlPlane;
    this.#port = port;
    this.#random = random;
  }

  static async start(cleanup: Cleanup, folder: string, random: (limit: number) => number): Promise<SoakMesh> {
    const controlPlane = new ControlPlaneProcess(folder, await freePorts(3));
    cleanup.after(() => controlPlane.kill());
    await controlPlane.start();
    const { apiUrl, dpPort } = controlPlane;
    const mesh = new Mesh(cleanup, { apiUrl, dpPort, caPem: await controlPlane.caPem() }, folder);
    await mesh.apply([meshWith("ca-1"), ALLOW_ALL, meshService("backend")].join("---\n"));
    const app = await application(cleanup, "backend");
    const soak = new SoakMesh(mesh, controlPlane, app.port, random);
    for (let count = 0; count < INSTANCES; count += 1) await soak.#addInstance();
    const web = await mesh.sidecar({ name: "web", labels: { app: "web" }, calls: ["backend"] });
    soak.#url = web.outbound("backend");
    await eventually(async () => assert.equal((await ask(soak.#url)).status, 200));
    return soak;
  }

  /** Where the caller's application finds the service. */
  get url(): string {
    return this.#url;
  }

  get inboundPorts(): readonly number[] {
    return this.#instances.map(({ inboundPort }) => inboundPort);
  }

  /** The processes that nobody replaces in order: the caller's Envoy, and the control plane that is there at the time. */
  async lasting(): Promise<Readonly<Record<string, () => number>>> {
    const caller = await envoyOf(this.#mesh, "web");
    return { "control plane": () => this.#controlPlane.pid, "Envoy of the caller": () => caller };
  }

  /** Whether the control plane ended without being told to, as it does after an error that nobody handled. */
  get unexpectedEnd(): boolean {
    return this.#controlPlane.hasEnded;
  }

  /** The end of what control planes said. */
  get lastWords(): string {
    return this.#controlPlane.output.slice(-2_000);
  }

  async restartControlPlane(millisAway: number): Promise<void> {
    await this.#controlPlane.kill();
    await sleep(millisAway);
    await this.#controlPlane.start();
  }

  /** A new instance comes, then an old one goes, both as in a rolling update. */
  async replaceInstance(): Promise<void> {
    await this.#addInstance();
    const [oldest, ...others] = this.#instances;
    this.#instances = others;
    await oldest?.stop();
  }

  async changePolicy(): Promise<void> {
    const http = { requestTimeout: `${10 + this.#random(10)}s` };
    const spec = { to: [{ targetRef: { kind: "Mesh" }, default: { http } }] };
    await this.#mesh.apply(stringify({ type: "MeshTimeout", mesh: "default", name: "patience", spec }));
  }

  async switchAuthority(): Promise<void> {
    this.#authority = 3 - this.#authority;
    await this.#mesh.apply(meshWith(`ca-${this.#authority}`));
  }

  /** One of two instances asks for a pause, as an application that is busy does. */
  async toggleReadiness(): Promise<void> {
    const [instance] = this.#instances;
    if (instance === undefined) return;
    for (const state of ["NotReady", "Ready"]) {
      const resource = (await this.#mesh.get(`/meshes/default/dataplanes/${instance.name}`)) as Stored;
      for (const inbound of resource.networking.inbound) inbound.state = state;
      const response = await this.#mesh.put(resource);
      assert.ok(response.ok, `PUT ${resource.name}: ${response.status} ${await response.text()}`);
      await sleep(500);
    }
  }

  async killEnvoy(): Promise<void> {
    const instance = this.#instances[this.#random(this.#instances.length)];
    if (instance === undefined) return;
    const before = await envoyOf(this.#mesh, instance.name);
    process.kill(before, "SIGKILL");
    await eventually(async () => assert.notEqual(await envoyOf(this.#mesh, instance.name), before));
  }

  async #addInstance(): Promise<void> {
    this.#made += 1;
    const name = `backend-${this.#made}`;
    const sidecar = await this.#mesh.sidecar({ name, labels: { app: "backend" }, servicePort: this.#port });
    this.#instances = [...this.#instances, sidecar];
  }
}

interface Stored {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networking: { readonly inbound: { state?: string }[] };
}

/** Both authorities are trusted, one signs. */
function meshWith(enabledBackend: string): string {
  const backends = ["ca-1", "ca-2"].map((name) => ({
    name,
    type: "builtin",
    mode: "STRICT",
    dpCert: { rotation: { expiration: CERTIFICATE_LIFE } },
  }));
  return stringify({ type: "Mesh", name: "default", mtls: { enabledBackend, backends } });
}
