import { compile } from "@heddle/engine/compile.ts";
import { Memo } from "@heddle/engine/memo.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import { assignmentsOf } from "@heddle/engine/testkit/assignments.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import { goldenFolder } from "@heddle/engine/testkit/golden.ts";
import { isDataplane, meshOf } from "@heddle/engine/testkit/mesh-of.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { policies } from "../index.ts";

const TYPE = "MeshLoadBalancingStrategy";
const others = policies.filter(({ kind }) => kind.type !== TYPE);
const isSubject = ({ type }: Resource): boolean => type === TYPE;

// Endpoints are no part of what is compiled, so what the policy makes of them is shown beside it.
goldenFolder(`${import.meta.dirname}/cases`, {
  title: TYPE,
  isSubject,
  others,
  policies,
  tell: ({ resources }) => {
    const before = assignments(
      resources.filter((each) => !isSubject(each)),
      others,
    );
    const after = assignments(resources, policies);
    const changed = [...after].filter(([key, { version }]) => before.get(key)?.version !== version);
    return changed.length === 0 ? {} : { endpoints: changed.map(([, each]) => decoded(each)) };
  },
});

function assignments(resources: readonly Resource[], all: readonly Policy[]): ReadonlyMap<string, EncodedResource> {
  const mesh = meshOf(resources);
  const entry = mesh.dataplanes.get(resources.find(isDataplane)?.name ?? "");
  if (entry === undefined) throw new Error("Cannot compile a case: no document is of type Dataplane; add one");
  return assignmentsOf(mesh, compile(mesh, entry, all, new Memo()));
}
