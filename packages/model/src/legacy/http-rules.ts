import { compactOrNothing } from "./legacy-kind.ts";
import { backendRefsOf, namesItself } from "./split.ts";
import type { Conf, Headers, Http, Modify, TextMatch } from "./traffic-route-schema.ts";

/** The rules of a MeshHTTPRoute that stand for `conf.http`, and for `conf` itself as what is left. */
export function httpRules(conf: Conf): { readonly rules: readonly object[]; readonly notes: readonly string[] } {
  const { http = [] } = conf;
  if (http.length === 0) return { rules: [], notes: [] };
  const rules = http.flatMap((rule) => {
    const matches = matchesOf(rule.match);
    return matches.length === 0 ? [] : [{ matches, default: { ...filtersOf(rule), ...refsOf(rule) } }];
  });
  const rest = namesItself(conf) ? [] : [{ matches: [EVERYTHING], default: refsOf(conf) }];
  return { rules: [...rules, ...rest], notes: notesOn(http) };
}

const EVERYTHING = { path: { type: "PathPrefix", value: "/" } };

function refsOf(whereTo: Http | Conf): object {
  const { refs } = backendRefsOf(whereTo);
  return refs.length === 0 ? {} : { backendRefs: refs };
}

// A match of today names one method, so that several take a match each.
function matchesOf({ method, path, headers = {} }: Http["match"]): readonly object[] {
  const named = Object.entries(headers).map(([name, text]) => ({ name, ...textOf(text) }));
  const match = {
    ...(path !== undefined && { path: pathOf(path) }),
    ...(named.length > 0 && { headers: named }),
  };
  return method === undefined ? [match] : methodsOf(method).map((each) => ({ ...match, method: each }));
}

const METHODS = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
/** "GET|POST" with or without parentheses; what else an expression may mean is not worked out here. */
const ALTERNATIVES = /^\^?\(?([A-Z]+(?:\|[A-Z]+)*)\)?\$?$/;

function methodsOf({ exact, prefix, regex }: TextMatch): readonly string[] {
  if (prefix !== undefined) return METHODS.filter((method) => method.startsWith(prefix));
  const wanted = exact ?? ALTERNATIVES.exec(regex ?? "")?.[1] ?? "";
  return wanted.split("|").filter((method) => METHODS.includes(method));
}

function textOf({ prefix, regex, exact = "" }: TextMatch): { readonly type: string; readonly value: string } {
  if (regex !== undefined) return { type: "RegularExpression", value: regex };
  return prefix === undefined ? { type: "Exact", value: exact } : { type: "Prefix", value: prefix };
}

function pathOf(text: TextMatch): object {
  const { type, value } = textOf(text);
  return { type: type === "Prefix" ? "PathPrefix" : type, value };
}

function filtersOf({ modify = {} }: Http): object {
  const { path, host, requestHeaders, responseHeaders } = modify;
  const rewrite = compactOrNothing({
    hostname: host?.value,
    path: path?.rewritePrefix && { type: "ReplacePrefixMatch", replacePrefixMatch: path.rewritePrefix },
  });
  const [request, response] = [headersOf(requestHeaders), headersOf(responseHeaders)];
  const filters = [
    ...(request ? [{ type: "RequestHeaderModifier", requestHeaderModifier: request }] : []),
    ...(response ? [{ type: "ResponseHeaderModifier", responseHeaderModifier: response }] : []),
    ...(rewrite ? [{ type: "URLRewrite", urlRewrite: rewrite }] : []),
  ];
  return filters.length === 0 ? {} : { filters };
}

function headersOf({ add = [], remove = [] }: Headers = {}): object | undefined {
  const valuesOf = (append: boolean): object[] | undefined => {
    const some = add.filter((each) => (each.append ?? false) === append);
    return some.length === 0 ? undefined : some.map(({ name, value }) => ({ name, value }));
  };
  return compactOrNothing({
    set: valuesOf(false),
    add: valuesOf(true),
    remove: remove.length === 0 ? undefined : remove.map(({ name }) => name),
  });
}

function notesOn(http: readonly Http[]): readonly string[] {
  return [
    ...(http.length > 1
      ? ["conf.http: the rule that says most about a request counts today, in place of the first that fits"]
      : []),
    ...http.flatMap((rule, index) => ruleNotes(rule, `conf.http[${index}]`)),
  ];
}

function ruleNotes({ match, modify, ...whereTo }: Http, field: string): readonly string[] {
  const prefix = match.path?.prefix;
  const ends = prefix === undefined || prefix.endsWith("/");
  return [
    ...(ends
      ? []
      : [`${field}.match.path.prefix: "${prefix}" means whole segments today: "${prefix}x" no longer fits`]),
    ...modifyNotes(modify ?? {}, `${field}.modify`),
    ...backendRefsOf(whereTo, field).notes,
  ];
}

function modifyNotes({ path, host }: Modify, field: string): readonly string[] {
  const lost = [
    ...(path?.regex === undefined ? [] : ["path.regex"]),
    ...(host?.fromPath === undefined ? [] : ["host.fromPath"]),
  ];
  return lost.map((name) => `${field}.${name}: left out: a MeshHTTPRoute rewrites by prefix or by whole value only`);
}
