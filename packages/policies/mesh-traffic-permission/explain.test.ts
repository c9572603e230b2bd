import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import type { InboundPlan, Origin, ProxyTls } from "@heddle/engine/plan/plan.ts";
import { NO_SETTINGS } from "@heddle/engine/plan/settings.ts";
import type { Caller, InboundRule, InboundRules } from "@heddle/engine/policy.ts";
import {
  type Permission,
  type Principal,
  type RBAC,
  RBAC_Action,
} from "@heddle/envoy/gen/envoy/config/rbac/v3/rbac_pb.js";
import type { StringMatcher } from "@heddle/envoy/gen/envoy/type/matcher/v3/string_pb.js";
import { RBACPerRouteSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { A_PROXY } from "@heddle/engine/testkit/a-proxy.ts";
import fc from "fast-check";
import { explainAccess } from "./explain.ts";
import { meshTrafficPermission } from "./policy.ts";
import type { ActionConf, PermissionConf } from "./schema.ts";

type Rules = InboundRules<PermissionConf | ActionConf>;

test("explainAccess() says what Envoy does with the rules that the same policy emits", () => {
  fc.assert(
    fc.property(anyRules(), anyCaller, anyInbound, (rules, caller, inbound) => {
      const answer = explainAccess({ rules, inbound, caller, target: { kind: "Mesh" } });
      const { rules: enforced, shadowRules } = emitted(rules, inbound);
      assert.equal(answer.decision, letsPass(enforced, caller) ? "allow" : "deny");
      assert.equal(answer.shadowDenied ?? false, isShadowDenied(shadowRules, caller));
    }),
    { numRuns: 2_000 },
  );
});

test("explainAccess() names a remedy that lets the caller in, unless a denial in rules stands against it", () => {
  const remedy = (given: Rules, inbound: InboundPlan, caller: Caller): unknown =>
    explainAccess({ rules: given, inbound, caller, target: { kind: "Mesh" } }).remedy;
  fc.assert(
    fc.property(anyRules(), anyCaller, anyInbound, (given, caller, inbound) => {
      const proposed = remedy(given, inbound, caller);
      if (proposed === undefined) return;
      const added = { rules: [...given.rules, ...rulesIn(proposed)], everyone: undefined, hash: "" };
      assert.equal(explainAccess({ rules: added, inbound, caller, target: { kind: "Mesh" } }).decision, "allow");
    }),
  );
  const web = { uris: ["spiffe://default/web"], serverName: undefined };
  assert.notEqual(remedy(rulesOf([]), inboundWith("http", "Mesh"), web), undefined);
  const denied = rulesOf([{ deny: [{ spiffeID: { type: "Exact", value: "spiffe://default/web" } }] }]);
  assert.equal(remedy(denied, inboundWith("http", "Mesh"), web), undefined);
});

test("explainAccess() names the strongest rule that means the caller", () => {
  const allow = { spiffeID: { type: "Prefix", value: "spiffe://default/" } } as const;
  const deny = { spiffeID: { type: "Exact", value: "spiffe://default/web" } } as const;
  const rules = rulesOf([{ deny: [deny] }, { allow: [allow] }]);
  const inbound = inboundWith("http", "Mesh");
  const explain = (uri: string) =>
    explainAccess({ rules, inbound, caller: { uris: [uri], serverName: undefined }, target: { kind: "Mesh" } });
  assert.deepEqual(explain("spiffe://default/web"), { decision: "deny", origins: [originOf(0)] });
  assert.deepEqual(explain("spiffe://default/shop"), { decision: "allow", origins: [originOf(1)] });
});

const uris = ["spiffe://default/web", "spiffe://default/webshop", "spiffe://other/web", "kuma://team/a"];
const names = ["one", "two"];

const anyMatch = fc.record(
  {
    spiffeID: fc.record({
      type: fc.constantFrom("Exact" as const, "Prefix" as const),
      value: fc.constantFrom(...uris, "spiffe://default/"),
    }),
    sni: fc.record({ type: fc.constant("Exact" as const), value: fc.constantFrom(...names) }),
  },
  { requiredKeys: [] },
);
const anyPermission: fc.Arbitrary<PermissionConf> = fc.record(
  {
    allow: fc.array(anyMatch, { maxLength: 3 }),
    deny: fc.array(anyMatch, { maxLength: 2 }),
    allowWithShadowDeny: fc.array(anyMatch, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const anyAction: fc.Arbitrary<InboundRule<ActionConf>> = fc.record({
  client: fc.option(
    fc.record({
      by: fc.constant("targetRef" as const),
      ref: fc.record({
        kind: fc.constant("MeshSubset" as const),
        tags: fc.dictionary(fc.constantFrom("kuma.io/service", "team"), fc.constantFrom("web", "webshop", "a", "*"), {
          maxKeys: 2,
        }),
      }),
    }),
    { nil: undefined },
  ),
  conf: fc.record({ action: fc.constantFrom("Allow" as const, "Deny" as const, "AllowWithShadowDeny" as const) }),
  origin: fc.constant(originOf(0)),
});
const anyCaller: fc.Arbitrary<Caller> = fc.record({
  uris: fc.subarray(uris),
  serverName: fc.constantFrom(undefined, ...names),
});
const anyInbound = fc
  .tuple(fc.constantFrom("http" as const, "tcp" as const), fc.constantFrom("Mesh" as const, "MeshIdentity" as const))
  .map(([protocol, issuer]) => inboundWith(protocol, issuer));

function anyRules(): fc.Arbitrary<Rules> {
  const numbered = (rules: readonly InboundRule<PermissionConf | ActionConf>[]): Rules => ({
    rules: rules.map((rule, index) => ({ ...rule, origin: originOf(index) })),
    everyone: undefined,
    hash: "",
  });
  const from = fc.array(anyAction, { maxLength: 4 });
  const rules = fc.array(anyPermission, { maxLength: 4 }).map((confs) => rulesOf(confs).rules);
  return fc.oneof(
    from.map(numbered),
    rules.map(numbered),
    fc.tuple(from, rules).map(([one, other]) => numbered([...one, ...other])),
  );
}

function rulesOf(confs: readonly PermissionConf[]): Rules {
  const rules = confs.map((conf, index) => ({ client: undefined, conf, origin: originOf(index) }));
  return { rules, everyone: undefined, hash: "" };
}

/** What the engine would make of a remedy: it comes last, as the strongest. */
function rulesIn(spec: unknown): readonly InboundRule<PermissionConf | ActionConf>[] {
  const { from = [], rules = [] } = spec as {
    readonly from?: readonly { readonly targetRef: { readonly kind: "MeshSubset" }; readonly default: ActionConf }[];
    readonly rules?: readonly { readonly default: PermissionConf }[];
  };
  return [
    ...from.map((item) => ({
      client: { by: "targetRef" as const, ref: item.targetRef },
      conf: item.default,
      origin: originOf(99),
    })),
    ...rules.map((item) => ({ client: undefined, conf: item.default, origin: originOf(99) })),
  ];
}

function originOf(rule: number): Origin {
  const type = "MeshTrafficPermission";
  return { type, mesh: "default", name: `policy-${rule}`, kri: `kri_mtp_default___policy-${rule}_`, rule };
}

function inboundWith(protocol: "http" | "tcp", issuer: ProxyTls["issuer"]): InboundPlan {
  return {
    name: "main",
    key: "self_inbound_dp_main",
    kri: "kri_dp_default___backend_main",
    address: "127.0.0.1",
    port: 80,
    protocol,
    tags: {},
    service: { address: "127.0.0.1", port: 8080 },
    tls: { issuer, mode: "strict", identitySecret: "", trustSecret: "", trustPrefixes: [] },
    settings: NO_SETTINGS,
  };
}

interface Emitted {
  readonly rules?: RBAC | undefined;
  readonly shadowRules?: RBAC | undefined;
}

/** The rules that Envoy gets: for requests in the route, for connections in the filter. */
function emitted(rules: Rules, inbound: InboundPlan): Emitted {
  const change = meshTrafficPermission.inbound?.(rules, inbound, A_PROXY);
  const [network] = change?.networkFilters ?? [];
  if (network !== undefined) return fromBinary(NetworkRbacSchema, network.config.value);
  const perRoute = Object.values(change?.route?.filters ?? {})[0];
  return (perRoute && fromBinary(RBACPerRouteSchema, perRoute.value).rbac) ?? {};
}

// What Envoy's documentation says of RBAC, and nothing of how the policy came to its rules.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
function letsPass(rbac: RBAC | undefined, caller: Caller): boolean {
  assert.equal(rbac?.action, RBAC_Action.ALLOW);
  return matchesPolicy(rbac, caller);
}

function isShadowDenied(rbac: RBAC | undefined, caller: Caller): boolean {
  if (rbac === undefined) return false;
  assert.equal(rbac.action, RBAC_Action.DENY);
  return matchesPolicy(rbac, caller);
}

function matchesPolicy(rbac: RBAC | undefined, caller: Caller): boolean {
  return Object.values(rbac?.policies ?? {}).some(
    ({ permissions, principals }) =>
      permissions.some((permission) => isPermitted(permission, caller)) &&
      principals.some((principal) => isPrincipal(principal, caller)),
  );
}

function isPermitted({ rule }: Permission, caller: Caller): boolean {
  switch (rule.case) {
    case "any":
      return rule.value;
    case "andRules":
      return rule.value.rules.every((each) => isPermitted(each, caller));
    case "orRules":
      return rule.value.rules.some((each) => isPermitted(each, caller));
    case "notRule":
      return !isPermitted(rule.value, caller);
    case "requestedServerName":
      return matches(rule.value, caller.serverName ?? "");
    default:
      throw new Error(`this evaluator does not know the permission ${rule.case}`);
  }
}

function isPrincipal({ identifier }: Principal, caller: Caller): boolean {
  switch (identifier.case) {
    case "any":
      return identifier.value;
    case "andIds":
      return identifier.value.ids.every((each) => isPrincipal(each, caller));
    case "orIds":
      return identifier.value.ids.some((each) => isPrincipal(each, caller));
    case "notId":
      return !isPrincipal(identifier.value, caller);
    case "authenticated": {
      const { principalName } = identifier.value;
      return principalName === undefined || caller.uris.some((uri) => matches(principalName, uri));
    }
    default:
      throw new Error(`this evaluator does not know the principal ${identifier.case}`);
  }
}

function matches({ matchPattern }: StringMatcher, text: string): boolean {
  switch (matchPattern.case) {
    case "exact":
      return text === matchPattern.value;
    case "prefix":
      return text.startsWith(matchPattern.value);
    default:
      throw new Error(`this evaluator does not know the matcher ${matchPattern.case}`);
  }
}
