import { whyNotRe2 } from "../regular-expression.ts";
import type { Violation } from "../violation.ts";
import { checkClientSide, checkTags } from "./selector.ts";
import type {
  Headers,
  Http,
  LoadBalancer,
  Modify,
  TextMatch,
  TrafficRouteSpec,
  WhereTo,
} from "./traffic-route-schema.ts";

/** What is wrong with a TrafficRoute whose every field is right by itself. */
export function checkTrafficRoute(spec: TrafficRouteSpec): readonly Violation[] {
  const { http = [], loadBalancer } = spec.conf;
  return [
    ...checkClientSide(spec),
    ...checkWhereTo(spec.conf, "conf"),
    ...http.flatMap((rule, index) => checkHttp(rule, `conf.http[${index}]`)),
    ...(loadBalancer === undefined ? [] : checkLoadBalancer(loadBalancer, "conf.loadBalancer")),
  ];
}

function checkWhereTo({ split, destination }: WhereTo, field: string): readonly Violation[] {
  if ((split === undefined) === (destination === undefined)) {
    return [{ field, message: "must have split or destination, and not both" }];
  }
  if (destination !== undefined) return checkTags(destination, `${field}.destination`, { service: true });
  const wrong = (split ?? []).flatMap((part, index) =>
    checkTags(part.destination, `${field}.split[${index}].destination`, { service: true }),
  );
  const isIdle = (split ?? []).every(({ weight }) => weight === 0);
  return isIdle ? [...wrong, { field: `${field}.split`, message: "must have a part with a weight above 0" }] : wrong;
}

function checkHttp(rule: Http, field: string): readonly Violation[] {
  const { method, path, headers } = rule.match;
  const texts: readonly (readonly [string, TextMatch | undefined])[] = [
    ["method", method],
    ["path", path],
    ...Object.entries(headers ?? {}).map(([name, text]) => [`headers["${name}"]`, text] as const),
  ];
  const set = texts.filter(([, text]) => text !== undefined);
  return [
    ...(set.length === 0
      ? [{ field: `${field}.match`, message: "must have at least one of method, path, headers" }]
      : []),
    ...set.flatMap(([name, text]) => (text === undefined ? [] : checkText(text, `${field}.match.${name}`))),
    ...(rule.modify === undefined ? [] : checkModify(rule.modify, rule, `${field}.modify`)),
    ...checkWhereTo(rule, field),
  ];
}

function checkText(text: TextMatch, field: string): readonly Violation[] {
  const set = Object.entries(text).filter(([, value]) => value !== undefined);
  const [first] = set;
  if (first === undefined || set.length > 1) {
    return [{ field, message: "must have exactly one of prefix, exact, regex" }];
  }
  const [type, value] = first;
  if (type !== "exact" && value === "") return [{ field: `${field}.${type}`, message: "must not be empty" }];
  const problem = type === "regex" ? whyNotRe2(text.regex ?? "") : undefined;
  return problem === undefined ? [] : [{ field: `${field}.regex`, message: problem }];
}

function checkModify(
  { path, host, requestHeaders, responseHeaders }: Modify,
  { match }: Http,
  field: string,
): readonly Violation[] {
  const wrong: Violation[] = [];
  if (path !== undefined && (path.rewritePrefix === undefined) === (path.regex === undefined)) {
    wrong.push({ field: `${field}.path`, message: "must have rewritePrefix or regex, and not both" });
  }
  if (path?.rewritePrefix !== undefined && match.path?.prefix === undefined) {
    const message = "must stand beside match.path.prefix: that is what it rewrites";
    wrong.push({ field: `${field}.path.rewritePrefix`, message });
  }
  if (host !== undefined && (host.value === undefined) === (host.fromPath === undefined)) {
    wrong.push({ field: `${field}.host`, message: "must have value or fromPath, and not both" });
  }
  return [
    ...wrong,
    ...checkHeaders(requestHeaders, `${field}.requestHeaders`),
    ...checkHeaders(responseHeaders, `${field}.responseHeaders`),
  ];
}

function checkHeaders({ add = [], remove = [] }: Headers = {}, field: string): readonly Violation[] {
  const named = (list: readonly { readonly name: string }[], name: string) =>
    list.flatMap((header, index) => checkHeaderName(header.name, `${field}.${name}[${index}].name`));
  return [...named(add, "add"), ...named(remove, "remove")];
}

function checkHeaderName(name: string, field: string): readonly Violation[] {
  if (!name.startsWith(":") && name.toLowerCase() !== "host") return [];
  return [{ field, message: "must not be host or start with ':'; modify.host and modify.path change these" }];
}

function checkLoadBalancer(balancer: LoadBalancer, field: string): readonly Violation[] {
  const set = Object.entries(balancer).filter(([, value]) => value !== undefined);
  if (set.length > 1) {
    return [{ field, message: `must have one of ${Object.keys(balancer).join(", ")}, not several` }];
  }
  return balancer.leastRequest?.choiceCount === 1
    ? [{ field: `${field}.leastRequest.choiceCount`, message: "must be at least 2, not 1" }]
    : [];
}
