import { compile, type Compiled } from "@heddle/engine/compile.ts";
import { assignmentsOf } from "@heddle/engine/testkit/assignments.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { applyChanges, type MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { anySpec } from "@heddle/engine/testkit/any-spec.ts";
import { changesFor, ONLINE } from "@heddle/engine/testkit/mesh-of.ts";
import { resource } from "@heddle/engine/testkit/resource.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import { policies } from "@heddle/policies/index.ts";
import fc from "fast-check";
import { printTable, type Row } from "../support/report.ts";
import { median } from "../support/statistics.ts";

const ROUNDS = 7;

/** One proxy of a mesh of many services, with one policy of every kind for the whole mesh, against the same without any. */
export function compareAllPolicies(services: number, calls: number): void {
  const all = everyKind();
  const [without, withAll] = [[], all].map((some) => meshWith(services, calls, some));
  if (without === undefined || withAll === undefined) return;
  const rows = Object.entries(CHANGES).map(([what, change]): Row => {
    const pairs = Array.from({ length: ROUNDS }, () => [took(without, change), took(withAll, change)]);
    const [bare = 0, full = 0] = [0, 1].map((at) => median(pairs.map((pair) => pair[at] ?? 0)));
    const ratio = median(pairs.map(([some = 1, more = 1]) => more / some));
    return {
      measure: what,
      figure: `${full.toFixed(2)} ms, ${bare.toFixed(2)} ms without policies (${ratio.toFixed(1)}x)`,
    };
  });
  printTable(`one proxy that calls ${calls} of ${services} services, ${all.length} policies, one of each kind`, rows);
}

/** Milliseconds of a first compilation, or of the one after a change. */
function took(snapshot: MeshSnapshot, change: MeshChange | undefined): number {
  const memo = new Memo();
  if (change === undefined) return timeOf(() => run(snapshot, memo));
  run(snapshot, memo);
  return timeOf(() => run(applyChanges(snapshot, [change]).snapshot, memo));
}

function timeOf(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function run(snapshot: MeshSnapshot, memo: Memo): Compiled {
  const entry = snapshot.dataplanes.get("caller");
  if (entry === undefined) throw new Error("Cannot measure: the mesh has no caller");
  const compiled = compile(snapshot, entry, policies, memo);
  assignmentsOf(snapshot, compiled);
  return compiled;
}

const ANYBODY: TargetRef = { kind: "Mesh" };
const TIMEOUT = { to: [{ targetRef: ANYBODY, default: { connectionTimeout: "3s", http: { requestTimeout: "9s" } } }] };

const CHANGES: Readonly<Record<string, MeshChange | undefined>> = {
  cold: undefined,
  "after one policy changed": put("MeshTimeout", "other", TIMEOUT),
  "after one endpoint changed": endpointGone(),
  "after one service changed": service(0, "http2"),
};

/** The fullest of many made-up specs of each kind that is for the whole mesh: a new kind is among them by itself. */
function everyKind(): readonly Resource[] {
  return policies.map(({ kind }) => {
    if (kind.type === "MeshProxyPatch") return resource(kind.type, "all", PATCH);
    const some = fc.sample(anySpec(kind), { numRuns: 300, seed: 1 }).map((spec) => JSON.stringify(spec));
    const [fullest = "{}"] = some.filter(isForAll).toSorted((a, b) => b.length - a.length);
    return resource(kind.type, "all", JSON.parse(fullest) as unknown);
  });
}

const PATCH = { default: { appendModifications: [{ cluster: { operation: "Patch", value: "connectTimeout: 5s" } }] } };

function isForAll(text: string): boolean {
  const { targetRef = ANYBODY, to } = JSON.parse(text) as { targetRef?: TargetRef; to?: { targetRef: TargetRef }[] };
  const isMesh = ({ kind, proxyTypes }: TargetRef): boolean => kind === "Mesh" && proxyTypes === undefined;
  return isMesh(targetRef) && (to === undefined || to.length === 0 || to.some((item) => isMesh(item.targetRef)));
}

function meshWith(services: number, calls: number, some: readonly Resource[]): MeshSnapshot {
  const mtls = { mtls: { enabledBackend: "ca", backends: [{ name: "ca", type: "builtin" as const }] } };
  const mesh = resource<MeshSpec>("Mesh", "default", mtls);
  const numbers = Array.from({ length: services }, (_, index) => index);
  const changes = changesFor([mesh, caller(calls), ...numbers.map(instance), ...some]);
  const puts = numbers.map((index) => service(index, index % 3 === 0 ? "tcp" : "http"));
  return applyChanges(emptySnapshot(mesh, "zone-1"), [...changes, ...puts]).snapshot;
}

function caller(calls: number): Resource {
  const outbound = Array.from({ length: calls }, (_, index) => ({
    port: 20_000 + index,
    backendRef: { kind: "MeshService", name: `service-${index}`, port: 80 },
  }));
  const inbound = (["http", "grpc", "tcp"] as const).map((protocol, at) => ({
    port: 8_080 + at,
    name: protocol,
    protocol,
  }));
  return resource(
    "Dataplane",
    "caller",
    { networking: { address: "10.9.9.9", inbound, outbound } },
    { labels: { app: "web" } },
  );
}

function instance(index: number): Resource {
  const networking = { address: `10.1.${index >> 8}.${index & 255}`, inbound: [{ port: 8_080, protocol: "http" }] };
  return resource("Dataplane", `service-${index}-0`, { networking }, { labels: { app: `service-${index}` } });
}

function service(index: number, appProtocol: string): MeshChange {
  const selector = { dataplaneLabels: { matchLabels: { app: `service-${index}` } } };
  return put("MeshService", `service-${index}`, { selector, ports: [{ port: 80, targetPort: 8_080, appProtocol }] });
}

function endpointGone(): MeshChange {
  return { what: "facts", dataplane: "service-1-0", facts: { ...ONLINE, unhealthy: [8_080] } };
}

function put(type: string, name: string, spec: unknown): MeshChange {
  return { what: "put", resource: resource(type, name, spec) };
}
