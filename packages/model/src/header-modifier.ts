import type { Violation } from "./violation.ts";

/** Changes of headers, as policies of several kinds let users write them. */
export interface HeaderModifier {
  readonly set?: readonly HeaderValue[] | undefined;
  readonly add?: readonly HeaderValue[] | undefined;
  readonly remove?: readonly string[] | undefined;
}
interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// They belong to one connection (RFC 9110, 7.6.1) or frame the message, which is Envoy's business on either side.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What is wrong with changes of headers. */
export function checkModifier({ set = [], add = [], remove = [] }: HeaderModifier, field: string): Violation[] {
  if (set.length + add.length + remove.length === 0) return [{ field, message: "must set, add or remove a header" }];
  const values = { set, add };
  const violations = (["set", "add"] as const).flatMap((list) =>
    values[list].flatMap(({ name, value }, index) => [
      ...checkName(name, `${field}.${list}[${index}].name`),
      ...checkValue(value, `${field}.${list}[${index}].value`),
    ]),
  );
  const removed = remove.flatMap((name, index) => checkName(name, `${field}.remove[${index}]`));
  return [...violations, ...removed, ...checkOnce(set, `${field}.set`)];
}

function checkName(name: string, field: string): Violation[] {
  const folded = name.toLowerCase();
  if (folded.startsWith(":"))
    return [{ field, message: "must not be a pseudo header: those are parts of the request, not headers" }];
  if (folded === "host") return [{ field, message: "must not be host: a URLRewrite filter has hostname for it" }];
  if (HOP_BY_HOP.has(folded)) return [{ field, message: `must not be ${name}: it belongs to one connection only` }];
  return HEADER_NAME.test(name) ? [] : [{ field, message: "must be a header's name" }];
}

// A line break would end the header, and whatever follows would be one that nobody looked at.
function checkValue(value: string, field: string): Violation[] {
  return /[\0\r\n]/.test(value) ? [{ field, message: "must not have line breaks or zero bytes" }] : [];
}

function checkOnce(headers: readonly { readonly name: string }[], field: string): Violation[] {
  const names = headers.map(({ name }) => name.toLowerCase());
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ field: `${field}[${index}].name`, message: `must be unique: "${headers[index]?.name}" is there already` }],
  );
}
