import type { CallerFilter } from "@heddle/engine/plan/caller-filters.ts";
import type { Init } from "@heddle/engine/emit/common.ts";
import { any } from "@heddle/envoy/any.ts";
import type { RouteMatchSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import {
  JwtAuthenticationSchema,
  type JwtRequirementSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { claimsFilter, NOBODY } from "./claims.ts";
import { providerFor } from "./providers.ts";
import { OBSCURE_PATH } from "./public-paths.ts";
import type { JwtConf } from "./schema.ts";

/** Asks every request for its token, and then the token for what it says. Nothing where there are no providers. */
export function filtersFor(conf: JwtConf): readonly CallerFilter[] {
  const { enabled = true, providers = [], publicPaths = [], requireClaims = [] } = conf;
  if (!enabled || providers.length === 0) return [];
  const requires = requirementOf(conf);
  if (requires === undefined) return [NOBODY];
  const config = any(JwtAuthenticationSchema, {
    providers: Object.fromEntries(providers.map((provider) => [provider.name, providerFor(provider)])),
    rules: [
      ...(publicPaths.length === 0 ? [] : [{ match: OBSCURE, requirementType: required(requires) }]),
      // A token is looked at there as well: otherwise a caller could forge the headers that are made of its claims.
      ...publicPaths.map((path) => ({ match: below(path), requirementType: required(NO_MATTER) })),
      { match: below("/"), requirementType: required(requires) },
    ],
  });
  const filter = { stage: "authenticate", name: "envoy.filters.http.jwt_authn", config } as const;
  return requireClaims.length === 0 ? [filter] : [filter, claimsFilter({ requireClaims, publicPaths, providers })];
}

type Requirement = Init<typeof JwtRequirementSchema>;
type Match = Init<typeof RouteMatchSchema>;

const NO_MATTER: Requirement = { requiresType: { case: "allowMissingOrFailed", value: {} } };
const MISSING: Requirement = { requiresType: { case: "allowMissing", value: {} } };

const OBSCURE: Match = { pathSpecifier: { case: "safeRegex", value: { regex: OBSCURE_PATH } } };

function below(path: string): Match {
  if (path === "/") return { pathSpecifier: { case: "prefix", value: "/" } };
  return { pathSpecifier: { case: "pathSeparatedPrefix", value: path } };
}

function required(value: Requirement) {
  return { case: "requires", value } as const;
}

/** Undefined when it cannot be met: it asks for tokens of providers that no policy declares. */
function requirementOf({ providers = [], require, allowMissing = false }: JwtConf): Requirement | undefined {
  const known = providers.map(({ name }) => name);
  const names = require?.all ?? (require?.any ?? known).filter((name) => known.includes(name));
  if (names.length === 0 || names.some((name) => !known.includes(name))) return undefined;
  const each = names.map((value): Requirement => ({ requiresType: { case: "providerName", value } }));
  const missing = allowMissing ? [MISSING] : [];
  if (require?.all === undefined || each.length === 1) return oneOf([...each, ...missing]);
  return oneOf([{ requiresType: { case: "requiresAll", value: { requirements: each } } }, ...missing]);
}

function oneOf(requirements: Requirement[]): Requirement {
  const [first, second] = requirements;
  if (first !== undefined && second === undefined) return first;
  return { requiresType: { case: "requiresAny", value: { requirements } } };
}
