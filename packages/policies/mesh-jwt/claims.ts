import type { CallerFilter } from "@heddle/engine/plan/caller-filters.ts";
import type { Init } from "@heddle/engine/emit/common.ts";
import { any } from "@heddle/envoy/any.ts";
import {
  type PermissionSchema,
  type PrincipalSchema,
  RBAC_Action,
} from "@heddle/envoy/gen/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import type { ValueMatcherSchema } from "@heddle/envoy/gen/envoy/type/matcher/v3/value_pb.js";
import { OBSCURE_PATH } from "./public-paths.ts";
import type { JwtConf, RequiredClaim } from "./schema.ts";

type Permission = Init<typeof PermissionSchema>;
type Principal = Init<typeof PrincipalSchema>;

/** Lets requests pass whose token says what is required. It runs after the one that reads tokens: names decide. */
export function claimsFilter(
  conf: Required<Pick<JwtConf, "requireClaims" | "publicPaths" | "providers">>,
): CallerFilter {
  const { requireClaims = [], publicPaths = [], providers = [] } = conf;
  const names = providers.map(({ name }) => name);
  const principals = [allOf(requireClaims.map((claim) => anyOf(names.map((name) => says(name, claim)))))];
  const policies = {
    claims: { permissions: [ANYTHING], principals },
    ...(publicPaths.length === 0
      ? {}
      : { public: { permissions: [publicPermission(publicPaths)], principals: [ANYBODY] } }),
  };
  return { ...NOBODY, config: any(RBACSchema, { rules: { action: RBAC_Action.ALLOW, policies } }) };
}

/** Lets no request pass, whatever its token says. */
export const NOBODY: CallerFilter = {
  stage: "authenticate",
  name: "envoy.filters.http.rbac.claims",
  config: any(RBACSchema, { rules: { action: RBAC_Action.ALLOW, policies: {} } }),
};

const ANYTHING: Permission = { rule: { case: "any", value: true } };
const ANYBODY: Principal = { identifier: { case: "any", value: true } };

function publicPermission(paths: readonly string[]): Permission {
  const rules = paths.flatMap((path) => [pathIs("exact", path), pathIs("prefix", `${path}/`)]);
  const obscure: Permission = urlPath({ matchPattern: { case: "safeRegex", value: { regex: OBSCURE_PATH } } });
  const isBelow: Permission = { rule: { case: "orRules", value: { rules } } };
  return { rule: { case: "andRules", value: { rules: [isBelow, { rule: { case: "notRule", value: obscure } }] } } };
}

function pathIs(how: "exact" | "prefix", value: string): Permission {
  return urlPath({ matchPattern: { case: how, value } });
}

function urlPath(value: { readonly matchPattern: PathPattern }): Permission {
  return { rule: { case: "urlPath", value: { rule: { case: "path", value } } } };
}
type PathPattern =
  | { readonly case: "exact" | "prefix"; readonly value: string }
  | { readonly case: "safeRegex"; readonly value: { readonly regex: string } };

function says(provider: string, { within = [], claim, values }: RequiredClaim): Principal {
  const path = [provider, ...within, claim].map((key) => ({ segment: { case: "key", value: key } as const }));
  const metadataMatcher = { filter: "envoy.filters.http.jwt_authn", path, value: oneOf(values) };
  return { identifier: { case: "sourcedMetadata", value: { metadataMatcher } } };
}

type Value = Init<typeof ValueMatcherSchema>;

function oneOf(values: RequiredClaim["values"]): Value {
  const valueMatchers = values.flatMap((value) => {
    const itself = exactly(value);
    const inList: Value = {
      matchPattern: { case: "listMatch", value: { matchPattern: { case: "oneOf", value: itself } } },
    };
    return [itself, inList];
  });
  return { matchPattern: { case: "orMatch", value: { valueMatchers } } };
}

function exactly(value: string | number | boolean): Value {
  if (typeof value === "boolean") return { matchPattern: { case: "boolMatch", value } };
  if (typeof value === "number") {
    return { matchPattern: { case: "doubleMatch", value: { matchPattern: { case: "exact", value } } } };
  }
  return { matchPattern: { case: "stringMatch", value: { matchPattern: { case: "exact", value } } } };
}

function allOf(ids: Principal[]): Principal {
  const [first, second] = ids;
  return first !== undefined && second === undefined ? first : { identifier: { case: "andIds", value: { ids } } };
}

function anyOf(ids: Principal[]): Principal {
  const [first, second] = ids;
  return first !== undefined && second === undefined ? first : { identifier: { case: "orIds", value: { ids } } };
}
