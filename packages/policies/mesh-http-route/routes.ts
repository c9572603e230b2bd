import type {
  Destination,
  HeaderChange,
  PathRewrite,
  RouteAction,
  RouteMatch,
  RoutePlan,
} from "@heddle/engine/plan/plan.ts";
import type { Resolve } from "@heddle/engine/policy.ts";
import { bySpecificity } from "./by-specificity.ts";
import type { MergedRoutes, OriginalRule } from "./merge.ts";
import type { Filter, HeaderModifier, PathRewriteConf, RequestMatch } from "./schema.ts";

/** The routes towards a destination, the one that says most about a request first. */
export function routesOf({ rules }: MergedRoutes, destination: Destination, resolve: Resolve): readonly RoutePlan[] {
  return rules
    .flatMap((rule) => rule.matches.map((match) => routeOf(rule, matchOf(match), destination, resolve)))
    .toSorted((a, b) => bySpecificity(a.match, b.match));
}

function routeOf(rule: OriginalRule, match: RouteMatch, destination: Destination, resolve: Resolve): RoutePlan {
  const { filters = [] } = rule.default;
  return {
    name: `${rule.origins.at(-1)?.kri}rule_${rule.index}`,
    match,
    action: actionOf(rule, destination, resolve),
    requestHeaders: headerChange(filters.map((filter) => filter.requestHeaderModifier)),
    responseHeaders: headerChange(filters.map((filter) => filter.responseHeaderModifier)),
    settings: {},
    origins: rule.origins,
  };
}

function matchOf({ path, method, headers = [], queryParams = [] }: RequestMatch): RouteMatch {
  return { path, method, headers: headers.map(textMatch), queryParams: queryParams.map(textMatch) };
}

function textMatch({ type = "Exact", name, value = "" }: HeaderMatch): RouteMatch["headers"][number] {
  return type === "Present" || type === "Absent" ? { type, name } : { type, name, value };
}
type HeaderMatch = NonNullable<RequestMatch["headers"]>[number];

function actionOf({ default: conf }: OriginalRule, destination: Destination, resolve: Resolve): RouteAction {
  const filters = conf.filters ?? [];
  const redirect = filters.find((filter) => filter.requestRedirect !== undefined)?.requestRedirect;
  if (redirect !== undefined) {
    const { scheme, hostname, port, path, statusCode = 302 } = redirect;
    return { do: "redirect", redirect: { scheme, hostname, port, path: pathRewrite(path), status: statusCode } };
  }
  const rewrite = filters.find((filter) => filter.urlRewrite !== undefined)?.urlRewrite;
  const refs = (conf.backendRefs ?? []).map((ref) => ({ destination: resolve(ref), weight: ref.weight ?? 1 }));
  const unresolved = refs.filter((ref) => ref.destination === undefined);
  return {
    do: "forward",
    backends: refs.length === 0 ? [{ destination, weight: 1 }] : refs.flatMap(resolved),
    unresolvedWeight: unresolved.reduce((sum, { weight }) => sum + weight, 0),
    rewrite: pathRewrite(rewrite?.path),
    hostRewrite: rewrite?.hostname,
    mirrors: filters.flatMap((filter) => mirrorOf(filter, resolve)),
  };
}

interface WeightedRef {
  readonly destination: Destination | undefined;
  readonly weight: number;
}

function resolved({ destination, weight }: WeightedRef): { destination: Destination; weight: number }[] {
  return destination === undefined ? [] : [{ destination, weight }];
}

// A copy that has nowhere to go is left out: nobody waits for its answer.
function mirrorOf({ requestMirror }: Filter, resolve: Resolve): { destination: Destination; percent: number }[] {
  const destination = requestMirror && resolve(requestMirror.backendRef);
  return destination === undefined ? [] : [{ destination, percent: Number(requestMirror?.percentage ?? 100) }];
}

function pathRewrite(conf: PathRewriteConf | undefined): PathRewrite | undefined {
  if (conf === undefined) return undefined;
  const { type, replaceFullPath, replacePrefixMatch } = conf;
  return { type, value: (type === "ReplaceFullPath" ? replaceFullPath : replacePrefixMatch) ?? "/" };
}

function headerChange(modifiers: readonly (HeaderModifier | undefined)[]): HeaderChange | undefined {
  const said = modifiers.filter((modifier) => modifier !== undefined);
  if (said.length === 0) return undefined;
  return {
    set: said.flatMap(({ set = [] }) => set),
    add: said.flatMap(({ add = [] }) => add),
    remove: said.flatMap(({ remove = [] }) => remove),
  };
}
