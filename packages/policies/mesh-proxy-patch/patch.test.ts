import assert from "node:assert/strict";
import { test } from "node:test";
import { Memo } from "@heddle/engine/memo.ts";
import { compile, type Compiled } from "@heddle/engine/compile.ts";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { yamlMesh } from "@heddle/engine/testkit/yaml-mesh.ts";
import { resourceFacts } from "@heddle/engine/resource-facts.ts";
import { typeRegistry } from "@heddle/envoy/type-registry.ts";
import fc from "fast-check";
import { stringify } from "yaml";
import { policies } from "../index.ts";
import { patchResources } from "./patch.ts";
import type { Modification } from "./schema.ts";
import { noteSource, stepsOf } from "./steps.ts";

const MESH = `
type: Mesh
name: default
---
type: Dataplane
name: web-1
labels: { app: web }
networking:
  address: 10.0.0.1
  inbound: [{ port: 8080, name: api, protocol: http }, { port: 9000, name: raw, protocol: tcp }]
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { port: 10002, backendRef: { kind: MeshService, name: store, port: 90 } }
---
type: MeshService
name: backend
spec: { ports: [{ port: 80, appProtocol: http }] }
---
type: MeshService
name: store
spec: { ports: [{ port: 90, appProtocol: tcp }] }
`;

function patchPolicy(name: string, appendModifications: readonly Modification[]): string {
  return `---\n${stringify({ type: "MeshProxyPatch", mesh: "default", name, spec: { default: { appendModifications } } })}`;
}

function patchedBy(...lists: readonly (readonly Modification[])[]): Compiled {
  // The alphabetically last is the weakest, so it comes first.
  const names = lists.map((_, index) => String.fromCodePoint("z".codePointAt(0)! - index));
  return compileYaml(MESH + lists.map((list, index) => patchPolicy(names[index] ?? "", list)).join(""), policies);
}

function versions({ resources }: Compiled): readonly string[] {
  return [...resources.values()].flatMap((byName) =>
    [...byName.values()].map(({ typeUrl, name, version }) => `${typeUrl} ${name} ${version}`),
  );
}

const origin = fc.constantFrom(undefined, "inbound", "outbound");
const lua = `name: lua
typedConfig: { "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, statPrefix: x }`;
const echo = `name: echo
typedConfig: { "@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo }`;
const addFilter = fc.constantFrom("AddFirst" as const, "AddLast" as const);
const anyModification: fc.Arbitrary<Modification> = fc.oneof(
  fc
    .record({ origin, value: fc.constantFrom("connectTimeout: 1s", "altStatName: x", "connectTimeout: 2.5s") })
    .map(({ origin: of, value }) => ({ cluster: { operation: "Patch" as const, match: { origin: of }, value } })),
  fc.constantFrom("self_inbound_dp_raw", "kri_msvc_default___store_90").map((name) => ({
    cluster: { operation: "Remove" as const, match: { name } },
  })),
  fc.constantFrom("a", "b", "self_inbound_dp_raw").map((name) => ({
    cluster: { operation: "Add" as const, value: `name: ${name}` },
  })),
  fc.constantFrom("1s", "2s").map((value) => ({
    listener: {
      operation: "Patch" as const,
      jsonPatches: [{ op: "add" as const, path: "/listenerFiltersTimeout", value }],
    },
  })),
  fc.record({ operation: addFilter, origin }).map(({ operation, origin: of }) => ({
    httpFilter: { operation, match: { origin: of }, value: lua },
  })),
  fc.constant({ httpFilter: { operation: "Remove" as const, match: { name: "lua" } } }),
  fc.record({ operation: addFilter, origin }).map(({ operation, origin: of }) => ({
    networkFilter: { operation, match: { origin: of }, value: echo },
  })),
  fc.constant({ virtualHost: { operation: "Add" as const, match: {}, value: "{ name: more, domains: [more] }" } }),
  fc.constant({ virtualHost: { operation: "Patch" as const, value: "responseHeadersToRemove: [x-y]" } }),
);

test("patchResources() does what two policies say as if one had said both, in order", () => {
  fc.assert(
    fc.property(
      fc.array(anyModification, { minLength: 1, maxLength: 4 }),
      fc.array(anyModification, { minLength: 1, maxLength: 4 }),
      (first, second) => {
        assert.deepEqual(versions(patchedBy(first, second)), versions(patchedBy([...first, ...second])));
      },
    ),
    { numRuns: 20 },
  );
});

const ORIGIN = { type: "MeshProxyPatch", mesh: "default", name: "p", kri: "kri_mpp_default___p_", rule: 0 };

test("patchResources() leaves what no modification concerns the very objects that they were", () => {
  const mesh = yamlMesh(MESH, policies);
  const entry = mesh.dataplanes.get("web-1");
  assert.ok(entry);
  const before = compile(mesh, entry, policies, new Memo());
  const factsOf = resourceFacts({ ...before, proxy: entry.resource });
  fc.assert(
    fc.property(fc.array(anyModification, { minLength: 1, maxLength: 5 }), (list) => {
      for (const [index, each] of list.entries()) noteSource(each, ORIGIN, index);
      const after = patchResources(stepsOf(list), before.resources, factsOf);
      for (const [typeUrl, byName] of after.resources) {
        for (const [name, resource] of byName) {
          const own = before.resources.get(typeUrl)?.get(name);
          const isTouched = after.origins.has(resource);
          if (!isTouched) assert.equal(resource, own, `${name} was touched by nobody and is another object`);
          else assert.notEqual(resource.version, own?.version, `${name} was touched and is the same`);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("patchResources() patches what proxies share once, and gives them the same object", () => {
  const change: Modification = { cluster: { operation: "Patch", value: "connectTimeout: 1s" } };
  const second = `---
type: Dataplane
name: web-2
networking:
  address: 10.0.0.2
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }]
`;
  const mesh = yamlMesh(MESH + second + patchPolicy("p", [change]), policies);
  const memo = new Memo();
  const [one, two] = [...mesh.dataplanes.values()].map((entry) =>
    compile(mesh, entry, policies, memo)
      .resources.get("type.googleapis.com/envoy.config.cluster.v3.Cluster")
      ?.get("kri_msvc_default___backend_80"),
  );
  assert.ok(one);
  assert.equal(one, two);
});

test("patchResources() tells which modification of which policy had a part in a resource", () => {
  const nothing: Modification = { listener: { operation: "Remove", match: { name: "no-such" } } };
  const inbound: Modification = {
    cluster: { operation: "Patch", match: { origin: "inbound" }, value: "altStatName: x" },
  };
  const added: Modification = { cluster: { operation: "Add", value: "name: more" } };
  const compiled = patchedBy([nothing, inbound], [added]);
  const origins = [...compiled.patchOrigins].map(([{ name }, kris]) => [name, ...kris]);
  assert.deepEqual(origins, [
    ["self_inbound_dp_api", "kri_mpp_default___z_", "kri_mpp_default___z_modification-1"],
    ["self_inbound_dp_raw", "kri_mpp_default___z_", "kri_mpp_default___z_modification-1"],
    ["more", "kri_mpp_default___y_", "kri_mpp_default___y_modification-0"],
  ]);
});

const failing: readonly (readonly [string, Modification, RegExp])[] = [
  [
    "replaces what is not there",
    { cluster: { operation: "Patch", jsonPatches: [{ op: "replace", path: "/altStatName", value: "x" }] } },
    /Cannot do default\.appendModifications\[0\]\.cluster of MeshProxyPatch "z" on "\w+": jsonPatches\[0\] cannot replace "\/altStatName": there is nothing/,
  ],
  [
    "renames",
    { listener: { operation: "Patch", match: { name: "self_inbound_dp_api" }, value: "name: other" } },
    /on "self_inbound_dp_api": it must keep its name; it would become "other"/,
  ],
  [
    "merges another type",
    { httpFilter: { operation: "Patch", match: { name: "envoy.filters.http.router" }, value: lua } },
    /filter "envoy.filters.http.router" is a .*Router, and the value a .*Lua/,
  ],
  [
    "makes nonsense of what is packed",
    {
      httpFilter: {
        operation: "Patch",
        match: { name: "envoy.filters.http.router" },
        jsonPatches: [{ op: "add", path: "/dynamicStatz", value: true }],
      },
    },
    /jsonPatches make no envoy.*Router of it: dynamicStatz unknown field, did you mean "dynamicStats"\?/,
  ],
];
for (const [what, modification, reason] of failing) {
  test(`patchResources() fails with the policy, the modification and the resource when it ${what}`, () => {
    assert.throws(() => patchedBy([modification]), reason);
  });
}

test("typeRegistry() knows every extension of Envoy, generated or not", () => {
  assert.ok(typeRegistry().getMessage("envoy.extensions.filters.http.lua.v3.Lua"));
  assert.ok(typeRegistry().getMessage("envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit"));
  assert.equal(typeRegistry().getMessage("envoy.nothing.Like.This"), undefined);
});
