import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import {
  type QueryParameterMatcherSchema,
  RedirectAction_RedirectResponseCode,
  type RedirectActionSchema,
  type RouteAction_RequestMirrorPolicySchema,
  type RouteActionSchema,
  type RouteMatchSchema,
  type RouteSchema,
} from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { FractionalPercent_DenominatorType } from "@heddle/envoy/gen/envoy/type/v3/percent_pb.js";
import type {
  Destination,
  PathRewrite,
  Redirect,
  RouteAction,
  RouteMatch,
  RoutePlan,
  TextMatch,
} from "../plan/plan.ts";
import type { Init } from "./common.ts";
import { headerOptions } from "./header-options.ts";
import { limits, perFilter, routeConfiguration } from "./route-configuration.ts";
import { headerMatcher, stringMatcher } from "./text-match.ts";

type Route = Init<typeof RouteSchema>;
type Forward = RouteAction & { readonly do: "forward" };

/** Which requests go where, from a proxy to a destination. Changes here never touch a listener. */
export function outboundRoutes(destination: Destination, routes: readonly RoutePlan[]): EncodedResource {
  return routeConfiguration(destination.key, routes.flatMap(emitRoute));
}

function emitRoute(plan: RoutePlan): Route[] {
  const base: Route = {
    name: plan.name,
    match: emitMatch(plan.match),
    ...emitHeaders(plan),
    ...perFilter(plan.settings),
  };
  const { action } = plan;
  switch (action.do) {
    case "respond":
      return [{ ...base, action: { case: "directResponse", value: respond(action.status, action.body) } }];
    case "redirect":
      return [{ ...base, action: { case: "redirect", value: emitRedirect(action.redirect, plan.match) } }];
    case "forward":
      return emitForward(base, action, plan);
  }
}

function emitForward(base: Route, action: Forward, plan: RoutePlan): Route[] {
  const { backends, unresolvedWeight } = action;
  const total = backends.reduce((sum, { weight }) => sum + weight, unresolvedWeight);
  const failing: Route = { ...base, action: { case: "directResponse", value: respond(500, undefined) } };
  if (total === unresolvedWeight) return [failing];
  const value = { ...forward(action, plan.match), ...limits(plan.settings) };
  const forwarding: Route = { ...base, action: { case: "route", value } };
  if (unresolvedWeight === 0) return [forwarding];
  // The share of backends that do not exist fails, as the Gateway API asks; the rest goes on.
  const numerator = Math.round((unresolvedWeight / total) * 1_000_000);
  const defaultValue = { numerator, denominator: FractionalPercent_DenominatorType.MILLION };
  return [{ ...failing, match: { ...emitMatch(plan.match), runtimeFraction: { defaultValue } } }, forwarding];
}

function forward(action: Forward, match: RouteMatch): Init<typeof RouteActionSchema> {
  const backends = action.backends.filter(({ weight }) => weight > 0);
  const [only] = backends;
  return {
    clusterSpecifier:
      backends.length === 1 && only !== undefined
        ? { case: "cluster", value: only.destination.key }
        : {
            case: "weightedClusters",
            value: { clusters: backends.map(({ destination, weight }) => ({ name: destination.key, weight })) },
          },
    requestMirrorPolicies: action.mirrors.map(
      ({ destination, percent }): Init<typeof RouteAction_RequestMirrorPolicySchema> => ({
        cluster: destination.key,
        runtimeFraction: {
          defaultValue: {
            numerator: Math.round(percent * 10_000),
            denominator: FractionalPercent_DenominatorType.MILLION,
          },
        },
      }),
    ),
    ...rewriteHost(action),
    ...(action.rewrite === undefined ? {} : rewritePath(action.rewrite, match)),
  };
}

// Who serves several names must be told which one is meant: outside of the mesh that is the name under which it is found.
function rewriteHost({ hostRewrite, backends }: Forward): Init<typeof RouteActionSchema> {
  if (hostRewrite !== undefined) return { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: hostRewrite } };
  const isOutside = backends.some(({ destination }) => destination.external !== undefined);
  return isOutside ? { hostRewriteSpecifier: { case: "autoHostRewrite", value: { value: true } } } : {};
}

function rewritePath(rewrite: PathRewrite, match: RouteMatch): Init<typeof RouteActionSchema> {
  if (rewrite.type === "ReplaceFullPath") return { regexRewrite: replaceRegex("^[^?]*", rewrite.value) };
  const { prefix, regex } = replacePrefix(rewrite.value, match);
  return prefix === undefined ? { regexRewrite: regex } : { prefixRewrite: prefix };
}

type PrefixRewrite =
  | { readonly prefix: string; readonly regex?: never }
  | { readonly prefix?: never; readonly regex: ReturnType<typeof replaceRegex> };

/**
 * Envoy replaces a prefix as text: "/api" by "/" would turn "/api/x" into "//x", and "/" by "/api" would turn "/x" into
 * "/apix". Slashes are evened out, so that whole segments are replaced.
 */
function replacePrefix(replacement: string, { path }: RouteMatch): PrefixRewrite {
  const prefix = (path?.type === "PathPrefix" ? path.value : "/").replace(/\/+$/, "");
  const value = replacement.replace(/\/+$/, "");
  if (value === "") return { regex: replaceRegex(`^${escapeRegex(prefix)}/*`, "/") };
  return { prefix: prefix === "" ? `${value}/` : value };
}

function replaceRegex(regex: string, substitution: string): { pattern: { regex: string }; substitution: string } {
  return { pattern: { regex }, substitution: substitution.replaceAll("\\", "\\\\") };
}

function emitMatch({ path, method, headers, queryParams }: RouteMatch): Init<typeof RouteMatchSchema> {
  const methods = method === undefined ? [] : [{ type: "Exact" as const, value: method, name: ":method" }];
  return {
    pathSpecifier: pathSpecifier(path),
    headers: [...methods, ...headers].map(headerMatcher),
    queryParameters: queryParams.map(queryMatcher),
  };
}

function pathSpecifier(path: RouteMatch["path"]): Init<typeof RouteMatchSchema>["pathSpecifier"] & {} {
  if (path === undefined) return { case: "prefix", value: "/" };
  switch (path.type) {
    case "Exact":
      return { case: "path", value: path.value };
    case "RegularExpression":
      return { case: "safeRegex", value: { regex: path.value } };
    case "PathPrefix": {
      // "/api" means "/api" and "/api/..." but not "/apis"; Envoy's path_separated_prefix is exactly that.
      const trimmed = path.value.replace(/\/+$/, "");
      return trimmed === "" ? { case: "prefix", value: "/" } : { case: "pathSeparatedPrefix", value: trimmed };
    }
  }
}

function queryMatcher(match: TextMatch & { readonly name: string }): Init<typeof QueryParameterMatcherSchema> {
  const { name } = match;
  switch (match.type) {
    case "Present":
    case "Absent":
      return { name, queryParameterMatchSpecifier: { case: "presentMatch", value: match.type === "Present" } };
    case "Exact":
    case "Prefix":
    case "RegularExpression":
      return { name, queryParameterMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) } };
  }
}

function emitRedirect(redirect: Redirect, match: RouteMatch): Init<typeof RedirectActionSchema> {
  const { scheme, hostname, port, path, status } = redirect;
  return {
    ...(scheme === undefined ? {} : { schemeRewriteSpecifier: { case: "schemeRedirect", value: scheme } }),
    ...(hostname === undefined ? {} : { hostRedirect: hostname }),
    ...(port === undefined ? {} : { portRedirect: port }),
    ...(path === undefined ? {} : { pathRewriteSpecifier: redirectedPath(path, match) }),
    responseCode: REDIRECT_CODES[status] ?? RedirectAction_RedirectResponseCode.FOUND,
  };
}

function redirectedPath(
  rewrite: PathRewrite,
  match: RouteMatch,
): NonNullable<Init<typeof RedirectActionSchema>["pathRewriteSpecifier"]> {
  if (rewrite.type === "ReplaceFullPath") return { case: "pathRedirect", value: rewrite.value };
  const { prefix, regex } = replacePrefix(rewrite.value, match);
  return prefix === undefined ? { case: "regexRewrite", value: regex } : { case: "prefixRewrite", value: prefix };
}

const REDIRECT_CODES: Readonly<Record<number, RedirectAction_RedirectResponseCode>> = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
};

function respond(
  status: number,
  body: string | undefined,
): { status: number; body?: { specifier: { case: "inlineString"; value: string } } } {
  return { status, ...(body === undefined ? {} : { body: { specifier: { case: "inlineString", value: body } } }) };
}

function emitHeaders({ requestHeaders, responseHeaders }: RoutePlan): Route {
  return {
    ...(requestHeaders === undefined
      ? {}
      : { requestHeadersToAdd: headerOptions(requestHeaders), requestHeadersToRemove: [...requestHeaders.remove] }),
    ...(responseHeaders === undefined
      ? {}
      : { responseHeadersToAdd: headerOptions(responseHeaders), responseHeadersToRemove: [...responseHeaders.remove] }),
  };
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
