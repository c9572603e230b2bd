import assert from "node:assert/strict";
import { test } from "node:test";
import { Memo } from "@heddle/engine/memo.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { policies } from "@heddle/policies/index.ts";
import { effectGuard } from "./effect-guard.ts";
import { Lab, resourcesIn } from "./testkit/lab.ts";
import { TAGGED } from "./testkit/meshes.ts";

const timeout = (name: string, target: string, seconds: number, service = "Mesh"): string => `
type: MeshTimeout
mesh: default
name: ${name}
spec:
  targetRef: ${target}
  to: [{ targetRef: { kind: ${service} }, default: { http: { requestTimeout: ${seconds}s } } }]
`;

async function warnings(lab: Lab, yaml: string): Promise<readonly string[]> {
  await lab.settle();
  const guard = effectGuard({ ...lab.options, policies, memo: new Memo() });
  const [resource] = resourcesIn(yaml);
  assert.ok(resource);
  const kind = policies.find((policy) => policy.kind.type === resource.type)?.kind as Kind;
  const previous = await lab.store.get(resource);
  const write =
    previous === undefined
      ? ({ operation: "create", kind, resource } as const)
      : ({ operation: "update", kind, resource, previous } as const);
  return (await guard(write, lab.store)).warnings ?? [];
}

test("effectGuard() is silent about a policy that changes something, also when it is written again", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  const policy = timeout("slow", "{ kind: Mesh }", 7);
  assert.deepEqual(await warnings(lab, policy), []);
  await lab.write(policy);
  assert.deepEqual(await warnings(lab, policy), []);
});

test("effectGuard() warns of a policy that others win over, and of one that says what holds anyway", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  await lab.write(timeout("strong", "{ kind: MeshSubset, tags: { kuma.io/service: web } }", 7));
  const target = "{ kind: MeshSubset, tags: { kuma.io/service: web } }";
  const [shadowed] = await warnings(lab, timeout("weak", target, 9).replace("name: weak", "name: zzz"));
  assert.match(shadowed ?? "", /changes nothing now at 1 proxy that it selects: other policies win over it/);
  assert.match((await warnings(lab, timeout("zzz", target, 7)))[0] ?? "", /changes nothing now/);
});

test("effectGuard() leaves a policy that selects nobody to the guard that says so", async () => {
  await using lab = new Lab();
  await lab.write(TAGGED);
  assert.deepEqual(await warnings(lab, timeout("none", "{ kind: MeshSubset, tags: { a: b } }", 7)), []);
});
