import { toJson } from "@bufbuild/protobuf";
import { AttributeContextSchema } from "@heddle/envoy/gen/envoy/service/auth/v3/attribute_context_pb.js";
import type { CheckRequest } from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import { parseJson } from "@heddle/model/json.ts";
import { OPA_CONTEXT } from "@heddle/model/opa-agent.ts";

/** Of the document that policies see, what is looked at here; the rest is as Envoy and the caller sent it. */
export interface OpaInput extends Readonly<Record<string, unknown>> {
  readonly attributes: Attributes | undefined;
}

/** The document `input` that policies see: the same as OPA's own plugin for Envoy makes of a question. */
export function inputOf({ attributes }: CheckRequest): OpaInput {
  const http = attributes?.request?.http;
  const [path = "", query = ""] = split(http?.path ?? "", "?");
  const isPartial = http?.headers["x-envoy-auth-partial-body"] === "true";
  const seen = attributes && withoutBundle(toJson(AttributeContextSchema, attributes) as Attributes);
  return {
    attributes: seen,
    parsed_path: path.replace(/^\//, "").split("/").map(decoded),
    parsed_query: queryOf(query),
    ...bodyOf(http?.headers["content-type"], http === undefined ? "" : textOf(http), isPartial),
    truncated_body: isPartial,
    version: { encoding: "protojson", ext_authz: "v3" },
  };
}

interface Attributes {
  readonly contextExtensions?: Readonly<Record<string, string>>;
}

function withoutBundle({ contextExtensions = {}, ...rest }: Attributes): Attributes {
  const { [OPA_CONTEXT]: _bundle, ...others } = contextExtensions;
  return { ...rest, ...(Object.keys(others).length === 0 ? {} : { contextExtensions: others }) };
}

function split(text: string, at: string): readonly string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

// A caller may send tens of thousands: each is looked at once.
function queryOf(query: string): Readonly<Record<string, readonly string[]>> {
  const values = Map.groupBy(new URLSearchParams(query), ([name]) => name);
  return Object.fromEntries([...values].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]));
}

function textOf({ body, rawBody }: { readonly body: string; readonly rawBody: Uint8Array }): string {
  return body === "" ? Buffer.from(rawBody).toString("utf8") : body;
}

// A body that is no JSON is an error there, too: a rule that reads it must not take it for an empty one.
function bodyOf(type: string | undefined, text: string, isPartial: boolean): { readonly parsed_body?: unknown } {
  if (text === "" || isPartial || !/^application\/json\b/i.test(type ?? "")) return {};
  return { parsed_body: parseJson(text) };
}
