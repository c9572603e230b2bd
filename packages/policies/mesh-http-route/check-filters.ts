import { checkBackendRef } from "@heddle/model/backend-ref.ts";
import { checkModifier } from "@heddle/model/header-modifier.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { Filter, PathRewriteConf } from "./schema.ts";

/** What the rest of a rule allows its filters. */
export interface Surroundings {
  /** Every match is a path prefix, so there is a prefix to replace. */
  readonly replaceable: boolean;
  readonly forGateway: boolean;
}

const BODIES = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestRedirect: "requestRedirect",
  URLRewrite: "urlRewrite",
  RequestMirror: "requestMirror",
} as const;
const HOSTNAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** What is wrong with the filters of a rule. */
export function checkFilters(filters: readonly Filter[], field: string, around: Surroundings): Violation[] {
  return [
    ...filters.flatMap((filter, index) => checkFilter(filter, `${field}[${index}]`, around)),
    ...checkTogether(filters, field),
  ];
}

// A request is redirected or rewritten once; a second such filter could only contradict the first.
function checkTogether(filters: readonly Filter[], field: string): Violation[] {
  const types = filters.map(({ type }) => type);
  return types.flatMap((type, index): Violation[] => {
    if (type !== "RequestRedirect" && type !== "URLRewrite") return [];
    const first = types.findIndex((other) => other === "RequestRedirect" || other === "URLRewrite");
    if (first === index) return [];
    return [
      { field: `${field}[${index}]`, message: `must not be ${type}: filter ${first} is ${types[first]} already` },
    ];
  });
}

function checkFilter(filter: Filter, field: string, around: Surroundings): Violation[] {
  const body = BODIES[filter.type];
  const wrong = Object.values(BODIES)
    .filter((other) => (filter[other] !== undefined) !== (other === body))
    .map((other) => ({
      field: `${field}.${other}`,
      message: other === body ? `must be set with type ${filter.type}` : `must not be set with type ${filter.type}`,
    }));
  return wrong.length > 0 ? wrong : checkBody(filter, `${field}.${body}`, around);
}

function checkBody(filter: Filter, field: string, around: Surroundings): Violation[] {
  switch (filter.type) {
    case "RequestHeaderModifier":
      return checkModifier(filter.requestHeaderModifier ?? {}, field);
    case "ResponseHeaderModifier":
      return checkModifier(filter.responseHeaderModifier ?? {}, field);
    case "RequestRedirect":
      return checkRedirect(filter.requestRedirect ?? {}, field, around);
    case "URLRewrite":
      return checkRewrite(filter.urlRewrite ?? {}, field, around);
    case "RequestMirror":
      return filter.requestMirror ? checkBackendRef(filter.requestMirror.backendRef, `${field}.backendRef`) : [];
  }
}

function checkRedirect(
  redirect: NonNullable<Filter["requestRedirect"]>,
  field: string,
  around: Surroundings,
): Violation[] {
  if (Object.values(redirect).every((value) => value === undefined)) {
    return [{ field, message: "must say where to: set scheme, hostname, port, path or statusCode" }];
  }
  return [
    ...checkHostname(redirect.hostname, `${field}.hostname`),
    ...checkPath(redirect.path, `${field}.path`, around),
  ];
}

function checkRewrite(rewrite: NonNullable<Filter["urlRewrite"]>, field: string, around: Surroundings): Violation[] {
  const { hostname, hostToBackendHostname, path } = rewrite;
  if (hostname === undefined && hostToBackendHostname === undefined && path === undefined) {
    return [{ field, message: "must set hostname or path" }];
  }
  const violations = [...checkHostname(hostname, `${field}.hostname`), ...checkPath(path, `${field}.path`, around)];
  if (hostToBackendHostname === true && !around.forGateway) {
    violations.push({ field: `${field}.hostToBackendHostname`, message: "must not be set without a MeshGateway" });
  }
  if (hostToBackendHostname === true && hostname !== undefined) {
    violations.push({ field: `${field}.hostname`, message: "must not be set with hostToBackendHostname" });
  }
  return violations;
}

function checkHostname(hostname: string | undefined, field: string): Violation[] {
  if (hostname === undefined || HOSTNAME.test(hostname)) return [];
  return [{ field, message: "must be a host name in lower case, such as shop.example.com" }];
}

function checkPath(rewrite: PathRewriteConf | undefined, field: string, around: Surroundings): Violation[] {
  if (rewrite === undefined) return [];
  const full = rewrite.type === "ReplaceFullPath";
  const [name, other] = full
    ? (["replaceFullPath", "replacePrefixMatch"] as const)
    : (["replacePrefixMatch", "replaceFullPath"] as const);
  const value = rewrite[name];
  const violations: Violation[] = [];
  if (value === undefined)
    violations.push({ field: `${field}.${name}`, message: `must be set with type ${rewrite.type}` });
  if (rewrite[other] !== undefined) {
    violations.push({ field: `${field}.${other}`, message: `must not be set with type ${rewrite.type}` });
  }
  if (value !== undefined && !value.startsWith("/")) {
    violations.push({ field: `${field}.${name}`, message: 'must start with "/", as every path does' });
  }
  if (!full && !around.replaceable) {
    violations.push({
      field: `${field}.type`,
      message: "must not be ReplacePrefixMatch: not every match is a PathPrefix",
    });
  }
  return violations;
}
