// How long the pure part of the control plane takes: 1,000 services of two instances, each calling ten others.
// Run: node bench/compile.ts. Takes a few seconds, opens no port.
import { compile, type Compiled } from "@heddle/engine/compile.ts";
import { loadAssignment } from "@heddle/engine/emit/endpoints.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { ALL_ALIKE } from "@heddle/engine/plan/locality.ts";
import { endpointsOf } from "@heddle/engine/plan/resolve.ts";
import { applyChanges, type MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { changesFor, ONLINE } from "@heddle/engine/testkit/mesh-of.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { policies } from "@heddle/policies/index.ts";
import { compareAllPolicies } from "./compile/all-policies.ts";

const SERVICES = 1_000;
const INSTANCES = 2;
const CALLS = 10;

const mesh = resource("Mesh", "default", {
  mtls: { enabledBackend: "ca", backends: [{ name: "ca", type: "builtin" }] },
}) as Resource<MeshSpec>;
const memo = new Memo();
const seen = new Set<string>();

const loaded = timed("load 4,000 resources", () =>
  applyChanges(emptySnapshot(mesh, "zone-1"), changesFor([mesh, ...services(), ...dataplanes(), ...permissions()])),
).snapshot;
changedListeners(timed("compile 2,000 proxies, cold", () => compileAll(loaded)));
timed("compile 2,000 proxies, nothing changed", () => compileAll(loaded));

let patient = loaded;
for (const seconds of [5, 6, 7]) {
  const { snapshot } = timed("apply a mesh-wide MeshTimeout", () => applyChanges(patient, [timeout(seconds)]));
  patient = snapshot;
  const compiled = timed("compile 2,000 proxies after a mesh-wide MeshTimeout", () => compileAll(snapshot));
  report("  listeners that it changed", String(changedListeners(compiled)));
}
endpointChanges(patient, 300);
compareAllPolicies(SERVICES, CALLS);
compareAllPolicies(SERVICES, SERVICES);

/** One instance after the other becomes unhealthy: what every consumer of its service has to hear of. */
function endpointChanges(start: MeshSnapshot, count: number): void {
  let snapshot = start;
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    const name = `service-${index}-0`;
    const change: MeshChange = { what: "facts", dataplane: name, facts: { ...ONLINE, unhealthy: [8080] } };
    const { snapshot: next, impact } = applyChanges(snapshot, [change]);
    for (const key of impact.endpoints) {
      for (const { destination } of next.views.get(key)?.ports.values() ?? []) {
        loadAssignment(destination.key, endpointsOf(next, destination), ALL_ALIKE);
      }
    }
    times.push(performance.now() - began);
    snapshot = next;
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${times[Math.floor(share * (times.length - 1))]?.toFixed(2)} ms`;
  report(`endpoint change with its load assignment, ${count} times`, `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
}

function compileAll(snapshot: MeshSnapshot): readonly Compiled[] {
  return [...snapshot.dataplanes.values()].map((entry) => compile(snapshot, entry, policies, memo));
}

function changedListeners(all: readonly Compiled[]): number {
  let changed = 0;
  for (const { resources } of all) {
    for (const [type, byName] of resources) {
      if (!type.endsWith(".Listener")) continue;
      for (const [name, { version }] of byName) if (!seen.has(`${name} ${version}`)) changed += 1;
      for (const [name, { version }] of byName) seen.add(`${name} ${version}`);
    }
  }
  return changed;
}

function services(): readonly Resource[] {
  return range(SERVICES).map((index) =>
    resource("MeshService", `service-${index}`, {
      selector: { dataplaneLabels: { matchLabels: { app: `service-${index}` } } },
      ports: [{ port: 80, targetPort: 8080, appProtocol: "http" }],
    }),
  );
}

/** Each instance of a service calls the same ten others, on ports of its own. */
function dataplanes(): readonly Resource[] {
  const random = randomNumbers(7);
  return range(SERVICES).flatMap((index) => {
    const callees = range(CALLS).map(() => random() % SERVICES);
    return range(INSTANCES).map((instance) => {
      const networking = {
        address: `10.${instance}.${index >> 8}.${index & 255}`,
        inbound: [
          { port: 8080, servicePort: 18080, protocol: "http", tags: { "kuma.io/service": `service-${index}` } },
        ],
        outbound: [...new Set(callees)].map((callee, position) => ({
          port: 20_000 + position,
          backendRef: { kind: "MeshService", name: `service-${callee}`, port: 80 },
        })),
      };
      return resource("Dataplane", `service-${index}-${instance}`, { networking }, { app: `service-${index}` });
    });
  });
}

function permissions(): readonly Resource[] {
  const allow = [{ spiffeID: { type: "Prefix", value: "spiffe://default/" } }];
  return [resource("MeshTrafficPermission", "everybody", { rules: [{ default: { allow } }] })];
}

function timeout(seconds: number): MeshChange {
  const conf = { idleTimeout: `${seconds}m`, http: { requestTimeout: `${seconds}s`, streamIdleTimeout: "10m" } };
  const spec = { to: [{ targetRef: { kind: "Mesh" }, default: conf }] };
  return { what: "put", resource: { ...resource("MeshTimeout", "patience", spec), version: seconds } };
}

function resource(type: string, name: string, spec: unknown, labels: Resource["labels"] = {}): Resource {
  const time = "2026-01-01T00:00:00Z";
  const mesh = type === "Mesh" ? "" : "default";
  return { type, mesh, name, labels, spec, version: 1, creationTime: time, modificationTime: time };
}

/** The same numbers in every run, so that runs can be compared. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function timed<Result>(what: string, work: () => Result): Result {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  // On a busy machine the time on the clock says little; that of the processor includes the garbage collector's threads.
  const busy = ((user + system) / 1_000).toFixed(0);
  report(what, `${(performance.now() - began).toFixed(0)} ms on the clock, ${busy} ms of CPU`);
  return result;
}

function report(what: string, figure: string): void {
  console.log(`${what.padEnd(64)} ${figure}`);
}
