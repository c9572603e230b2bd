import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCESS_ACTIONS, type AccessAction, type AccessRule } from "@heddle/model/kinds/access.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import fc from "fast-check";
import { isAllowed, type Target } from "./is-allowed.ts";
import { type Binding, type Role, rightsOf } from "./rights.ts";

const NAMES = ["a", "b"] as const;
const TYPES = ["MeshTimeout", "Secret", "AccessRole"] as const;
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values]);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const one = fc.constantFrom(...NAMES);

const anyRule: fc.Arbitrary<AccessRule> = fc.record({
  types: maybe(some(TYPES)),
  names: maybe(some(NAMES)),
  mesh: maybe(one),
  access: fc.subarray([...ACCESS_ACTIONS], { minLength: 1 }),
});
const anyRoles: fc.Arbitrary<Role[]> = fc.uniqueArray(
  fc.record({ name: one, spec: fc.record({ rules: fc.array(anyRule, { minLength: 1, maxLength: 3 }) }) }),
  { selector: ({ name }) => name },
);
const anySubject = fc.record({ type: fc.constantFrom("User" as const, "Group" as const), name: one });
const anyBinding: fc.Arbitrary<Binding> = fc.record({
  name: one,
  spec: fc.record({ subjects: fc.array(anySubject, { minLength: 1 }), roles: some([...NAMES, "gone"]) }),
});
const anyQuestion = fc.record({
  user: fc.record({ name: fc.constantFrom("a", "b", "c"), groups: some([...NAMES, "c"]) }),
  action: fc.constantFrom(...ACCESS_ACTIONS),
  resource: fc.record({ type: fc.constantFrom(...TYPES), mesh: one, name: one }, { requiredKeys: [] }),
});

/** The same in the plainest words: is there a binding, a role and a rule? */
function reference(roles: Role[], bindings: Binding[], question: Parameters<typeof isAllowed>[1]): boolean {
  const { user, action, resource } = question;
  for (const binding of bindings) {
    const named = binding.spec.subjects.some(({ type, name }) =>
      type === "User" ? user.name === name : user.groups.includes(name),
    );
    if (!named) continue;
    for (const role of roles.filter(({ name }) => binding.spec.roles.includes(name))) {
      for (const { access, types, names, mesh } of role.spec.rules) {
        const aboutType = action === "CREATE" || action === "UPDATE" || action === "DELETE";
        const typeFits = !aboutType || !types?.length || types.some((type) => type === resource.type);
        const nameFits = !names?.length || names.some((name) => name === resource.name);
        const meshFits = mesh === undefined || mesh === resource.mesh;
        if (access.includes(action) && typeFits && nameFits && meshFits) return true;
      }
    }
  }
  return false;
}

test("isAllowed() says what a walk over all bindings, roles and rules says", () => {
  fc.assert(
    fc.property(anyRoles, fc.array(anyBinding), anyQuestion, (roles, bindings, question) => {
      const { allowed } = isAllowed(rightsOf(roles, bindings), question as Parameters<typeof isAllowed>[1]);
      assert.equal(allowed, reference(roles, bindings, question as Parameters<typeof isAllowed>[1]));
    }),
    { numRuns: 2_000 },
  );
});

test("isAllowed() only ever allows more when a binding is added", () => {
  fc.assert(
    fc.property(anyRoles, fc.array(anyBinding), anyBinding, anyQuestion, (roles, bindings, more, asked) => {
      const question = asked as Parameters<typeof isAllowed>[1];
      const before = isAllowed(rightsOf(roles, bindings), question).allowed;
      const after = isAllowed(rightsOf(roles, [...bindings, more]), question).allowed;
      assert.ok(after || !before);
    }),
  );
});

test("isAllowed() allows nothing when nothing is bound", () => {
  fc.assert(
    fc.property(anyRoles, anyQuestion, (roles, question) => {
      assert.equal(isAllowed(rightsOf(roles, []), question as Parameters<typeof isAllowed>[1]).allowed, false);
    }),
  );
});

const jane = { name: "jane", groups: ["dev"] };

function ask(rule: Partial<AccessRule>, resource: Target, action: AccessAction = "CREATE"): boolean {
  const role: Role = { name: "r", spec: { rules: [{ access: [action], ...rule }] } };
  const binding: Binding = { name: "b", spec: { subjects: [{ type: "Group", name: "dev" }], roles: ["r"] } };
  return isAllowed(rightsOf([role], [binding]), { user: jane, action, resource }).allowed;
}

const policy = (spec: unknown): Target => ({
  type: "MeshTimeout",
  mesh: "default",
  name: "x",
  content: { what: "spec", spec, isPolicy: true },
});
const ref = (targetRef: TargetRef): { targetRef: TargetRef } => ({ targetRef });
const backend = ref({ kind: "MeshService", name: "backend" });
const web = ref({ kind: "MeshService", name: "web" });
const token = (tags: Record<string, string[]>): Target => ({ mesh: "m", content: { what: "dataplaneToken", tags } });
const source = (service: string): unknown => ({ match: { "kuma.io/service": service } });

const whens: readonly (readonly [what: string, when: NonNullable<AccessRule["when"]>[number], Target, boolean])[] = [
  ["the same targetRef", backend, policy(backend), true],
  ["another name", backend, policy(web), false],
  ["another kind", backend, policy(ref({ kind: "MeshSubset" })), false],
  [
    "a selection by labels instead of the name",
    backend,
    policy(ref({ kind: "MeshService", labels: { a: "b" } })),
    false,
  ],
  ["no targetRef, which is the whole mesh", backend, policy({ default: {} }), false],
  ["no targetRef where Mesh is asked for", ref({ kind: "Mesh" }), policy({ default: {} }), true],
  [
    "what is no policy",
    ref({ kind: "Mesh" }),
    { ...policy({}), content: { what: "spec", spec: { rules: [] }, isPolicy: false } },
    false,
  ],
  [
    "the labels and one more",
    ref({ kind: "Dataplane", labels: { app: "a" } }),
    policy(ref({ kind: "Dataplane", labels: { app: "a", v: "1" } })),
    true,
  ],
  [
    "fewer labels",
    ref({ kind: "Dataplane", labels: { app: "a", v: "1" } }),
    policy(ref({ kind: "Dataplane", labels: { app: "a" } })),
    false,
  ],
  ["every to", { to: backend }, policy({ to: [backend, backend] }), true],
  ["one to of two", { to: backend }, policy({ to: [backend, web] }), false],
  ["no to at all", { to: backend }, policy({ from: [backend] }), false],
  ["every from", { from: ref({ kind: "Mesh" }) }, policy({ from: [ref({ kind: "Mesh" })] }), true],
  ["targetRef but not to", { ...web, to: backend }, policy({ ...web, to: [web] }), false],
  [
    "sources and destinations",
    { sources: { match: { "kuma.io/service": "web" } }, destinations: { match: { "kuma.io/service": "*" } } },
    policy({ sources: [source("web")], destinations: [source("api")] }),
    true,
  ],
  [
    "a source of others",
    { sources: { match: { "kuma.io/service": "web" } } },
    policy({ sources: [source("web"), source("*")] }),
    false,
  ],
  ["selectors", { selectors: { match: { "kuma.io/service": "web" } } }, policy({ selectors: [source("web")] }), true],
  ["a dpToken qualifier for a policy", { dpToken: { tags: [{ name: "a", value: "b" }] } }, policy(backend), false],
  [
    "a tag named like a method",
    { selectors: { match: { constructor: "*" } } },
    policy({ selectors: [source("web")] }),
    false,
  ],
];

for (const [what, qualifier, resource, expected] of whens) {
  test(`isAllowed() ${expected ? "allows" : "denies"} ${what}`, () => {
    assert.equal(ask({ when: [qualifier] }, resource), expected);
  });
}

const tokens: readonly (readonly [string, Record<string, string[]>, boolean])[] = [
  ["bound to the tag", { "kuma.io/service": ["web"] }, true],
  ["bound to the tag and more", { "kuma.io/service": ["web"], v: ["1"] }, true],
  ["bound to another value", { "kuma.io/service": ["api"] }, false],
  ["that allows another value too", { "kuma.io/service": ["web", "api"] }, false],
  ["that allows no value", { "kuma.io/service": [] }, false],
  ["bound to nothing", {}, false],
];

for (const [what, tags, expected] of tokens) {
  test(`isAllowed() ${expected ? "allows" : "denies"} a dataplane token ${what}`, () => {
    const when = [{ dpToken: { tags: [{ name: "kuma.io/service", value: "web" }] } }];
    assert.equal(ask({ when }, token(tags), "GENERATE_DATAPLANE_TOKEN"), expected);
  });
}

test("isAllowed() grants a token for everybody's name to no rule with names", () => {
  assert.equal(ask({ names: ["web-1"] }, { mesh: "m" }, "GENERATE_DATAPLANE_TOKEN"), false);
  assert.equal(ask({ names: ["root"] }, {}, "GENERATE_USER_TOKEN"), false);
});

test("isAllowed() names the roles that would do", () => {
  const role: Role = { name: "timeouts", spec: { rules: [{ access: ["CREATE"], types: ["MeshTimeout"] }] } };
  const question = { user: jane, action: "CREATE", resource: { type: "MeshTimeout", mesh: "m", name: "x" } } as const;
  assert.deepEqual(isAllowed(rightsOf([role], []), question), {
    allowed: false,
    reason: 'no AccessRoleBinding names this user; AccessRole "timeouts" would: bind one with an AccessRoleBinding',
  });
  const binding: Binding = { name: "b", spec: { subjects: [{ type: "User", name: "jane" }], roles: ["timeouts"] } };
  assert.deepEqual(isAllowed(rightsOf([role], [binding]), question), {
    allowed: true,
    by: { role: "timeouts", binding: "b" },
  });
  assert.deepEqual(isAllowed(rightsOf([role], [binding]), { ...question, action: "DELETE" }), {
    allowed: false,
    reason: 'no rule of AccessRole "timeouts" grants it; no role grants it: write an AccessRole that does',
  });
});
