import assert from "node:assert/strict";
import { test } from "node:test";
import { any } from "@heddle/envoy/any.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { FileAccessLogSchema } from "@heddle/envoy/gen/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { z } from "zod";
import type { Compiled } from "./compile.ts";
import { type Policy, definePolicy } from "./policy.ts";
import { compileYaml } from "./testkit/compile-yaml.ts";
import { decoded } from "./testkit/decode.ts";

const CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";

/** A policy for tests: each proxy writes its requests to a file, has a cluster of its own, and loses those named. */
const meshWatch: Policy = definePolicy<never, never, { readonly file?: string; readonly appendDrop?: string[] }>({
  kind: policyKind({
    type: "MeshWatch",
    path: "meshwatches",
    shortName: "mw",
    singular: "MeshWatch",
    plural: "MeshWatches",
    targets: ["Mesh", "Dataplane"],
    default: { conf: z.strictObject({ file: z.string().optional(), appendDrop: z.array(z.string()).optional() }) },
  }),
  proxy: ({ value: { file } }, { resource: { name } }) => {
    if (file === undefined) return {};
    const path = `${file}/${name}`;
    const change = { accessLogs: [{ name: "file", config: any(FileAccessLogSchema, { path }) }] };
    return {
      inbounds: change,
      outbounds: change,
      resources: [encodeResource(ClusterSchema, `watch-${name}`, { name: `watch-${name}` })],
    };
  },
  patch: ({ value: { appendDrop = [] } }, resources) => {
    const clusters = new Map(resources.get(CLUSTER));
    for (const name of appendDrop) clusters.delete(name);
    return { resources: new Map(resources).set(CLUSTER, clusters), origins: new Map() };
  },
});

const mesh = (spec: string) => `
type: Mesh
name: default
---
type: Dataplane
name: web-1
networking:
  address: 10.0.0.1
  inbound: [{ port: 8080, name: api, protocol: http }]
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { port: 10002, backendRef: { kind: MeshService, name: raw, port: 90 } }
---
type: MeshService
name: backend
spec: { ports: [{ port: 80, appProtocol: http }] }
---
type: MeshService
name: raw
spec: { ports: [{ port: 90, appProtocol: tcp }] }
---
type: MeshWatch
name: all
mesh: default
spec: ${spec}
`;

function namesOf({ resources }: Compiled, typeUrl: string): readonly string[] {
  return [...(resources.get(typeUrl)?.keys() ?? [])].toSorted();
}

test("compile() gives all inbounds and outbounds of a proxy, and itself, what a policy for whole proxies wants", () => {
  const compiled = compileYaml(mesh("{ default: { file: /logs } }"), [meshWatch]);
  const listeners = [...(compiled.resources.get(LISTENER)?.values() ?? [])].map((each) =>
    JSON.stringify(decoded(each)),
  );
  assert.equal(listeners.length, 3);
  for (const text of listeners) assert.match(text, /"path":"\/logs\/web-1"/);
  assert.ok(namesOf(compiled, CLUSTER).includes("watch-web-1"));
  assert.deepEqual(
    compiled.whole.units.map(({ kind, origins }) => [kind, ...origins.map(({ name }) => name)]),
    [["MeshWatch", "all"]],
  );
});

test("compile() lets a policy that changes Envoy's resources have the last word, over other policies' as well", () => {
  const compiled = compileYaml(mesh("{ default: { file: /logs, appendDrop: [watch-web-1, self_inbound_dp_api] } }"), [
    meshWatch,
  ]);
  assert.deepEqual(namesOf(compiled, CLUSTER), ["kri_msvc_default___backend_80", "kri_msvc_default___raw_90"]);
});

test("compile() merges what several policies for whole proxies say, the more specific last", () => {
  const second = `
---
type: MeshWatch
name: one
mesh: default
spec: { targetRef: { kind: Dataplane, name: web-1 }, default: { file: /mine, appendDrop: [b] } }
`;
  const compiled = compileYaml(mesh("{ default: { file: /logs, appendDrop: [a] } }") + second, [meshWatch]);
  assert.deepEqual(
    compiled.whole.applied.map(({ conf }) => conf.value),
    [{ file: "/mine", appendDrop: ["a", "b"] }],
  );
});

test("a policy for whole proxies that says nothing is refused, and changes nothing where it does not select", () => {
  assert.throws(() => compileYaml(mesh("{}"), [meshWatch]), /default/);
  const elsewhere = "{ targetRef: { kind: Dataplane, name: other }, default: { file: /logs } }";
  assert.deepEqual(compileYaml(mesh(elsewhere), [meshWatch]).whole.applied, []);
});
