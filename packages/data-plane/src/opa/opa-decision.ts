import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CheckResponseSchema } from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import type { OpaBundle } from "@heddle/model/opa-agent.ts";
import { regoPackage } from "@heddle/model/opa-agent.ts";
import type { OpaEngine } from "./opa-library.ts";

/** What a rule may say instead of true or false, after OPA's plugin for Envoy. */
interface RuleObject {
  readonly allowed?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly response_headers_to_add?: Readonly<Record<string, unknown>>;
  readonly request_headers_to_remove?: readonly string[];
  readonly body?: unknown;
  readonly http_status?: unknown;
}

/** What was decided, and what becomes of the request. */
export interface Decision {
  readonly allowed: boolean;
  /** What each package said, for the decision log. */
  readonly said: unknown;
  readonly response: MessageInitShape<typeof CheckResponseSchema>;
}

const MODULE = "heddle_decision";

/** The module that asks every package that decides for its word, so that one evaluation is enough. */
export function decisionModule({ policies, path }: OpaBundle): string {
  if (path !== undefined) return `package ${MODULE}\n\nallow["${path}"] := data.${path.replaceAll("/", ".")}\n`;
  const packages = new Set(policies.flatMap(({ rego, decides }) => (decides ? (regoPackage(rego) ?? []) : [])));
  const rules = [...packages].map(
    (name) => `allow["${name}"] := data.${name}.allow\n\ndeny["${name}"] := data.${name}.deny\n`,
  );
  return `package ${MODULE}\n\n${rules.join("\n")}`;
}

/** How many words `decisionModule` asks for: a package that says nothing allows nothing. */
export function wordsIn({ policies, path }: OpaBundle): number {
  if (path !== undefined) return 1;
  return new Set(policies.flatMap(({ rego, decides }) => (decides ? (regoPackage(rego) ?? []) : []))).size;
}

/** Lets a request pass when every package allows it and none denies it. */
export function decide(engine: OpaEngine, words: number, input: unknown): Decision {
  const said = (engine.evaluate(MODULE, input) ?? {}) as {
    readonly allow?: Readonly<Record<string, unknown>>;
    readonly deny?: Readonly<Record<string, unknown>>;
  };
  const allow = Object.values(said.allow ?? {});
  const deny = Object.values(said.deny ?? {}).filter(isDenial);
  const objects = allow.filter((each): each is RuleObject => typeof each === "object" && each !== null);
  const allowed = words > 0 && allow.length === words && allow.every(isAllowed) && deny.length === 0;
  return { allowed, said, response: allowed ? passed(objects) : refused(objects.find((each) => !isAllowed(each))) };
}

function isAllowed(value: unknown): boolean {
  return value === true || (value as RuleObject | null)?.allowed === true;
}

// A rule may gather reasons: none is no denial.
function isDenial(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== false && value !== null;
}

const PERMISSION_DENIED = 7;

function passed(objects: readonly RuleObject[]): Decision["response"] {
  const headers = objects.flatMap((each) => headersOf(each.headers));
  const responseHeadersToAdd = objects.flatMap((each) => headersOf(each.response_headers_to_add));
  const headersToRemove = objects.flatMap((each) => each.request_headers_to_remove ?? []);
  return {
    status: {},
    httpResponse: { case: "okResponse", value: { headers, responseHeadersToAdd, headersToRemove } },
  };
}

function refused({ headers, body, http_status: status }: RuleObject = {}): Decision["response"] {
  const code = typeof status === "number" ? status : 403;
  const text = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
  const value = { status: { code }, headers: headersOf(headers), body: text };
  return { status: { code: PERMISSION_DENIED }, httpResponse: { case: "deniedResponse", value } };
}

function headersOf(headers: Readonly<Record<string, unknown>> = {}) {
  return Object.entries(headers).flatMap(([key, value]) =>
    [value].flat().map((each) => ({ header: { key, value: String(each) } })),
  );
}
