import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import { StoreError, type StoreErrorCode } from "@heddle/model/store.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { ApiError } from "./api-error.ts";

/** Kuma's error body (https://kuma.io/docs/latest/reference/http-api/). The last two fields repeat the others for older clients. */
export interface ErrorBody {
  readonly type: "/std-errors";
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly invalid_parameters?: readonly { readonly field: string; readonly reason: string }[];
  readonly details: string;
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
}

// A hostile document can hold a mistake every few bytes; nobody reads more than this.
const MOST_VIOLATIONS = 100;

/** The body for one failure. */
export function errorBody(error: ApiError, title: string): ErrorBody {
  const violations = firstOf(error.violations);
  const known = {
    type: "/std-errors",
    status: error.status,
    title: error.title ?? title,
    detail: error.message,
  } as const;
  if (violations.length === 0) return { ...known, details: error.message };
  return {
    ...known,
    invalid_parameters: violations.map(({ field, message }) => ({ field, reason: message })),
    details: error.message,
    causes: violations.map(({ field, message }) => ({ field, message })),
  };
}

/** Reads any failure as one the caller may see; undefined when it is ours alone to know. */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof StoreError) return fromStore(error);
  // The policy says what cannot be done with this proxy, and its author is who can change that.
  if (error instanceof PolicyFailure) return new ApiError(409, error.message, { cause: error });
  return fromFastify(error);
}

const STORE_STATUS: Readonly<Record<StoreErrorCode, number | undefined>> = {
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  invalid: 400,
  unavailable: 503,
  expired: undefined,
};

function fromStore(error: StoreError): ApiError | undefined {
  const status = STORE_STATUS[error.code];
  if (status === undefined) return undefined;
  return new ApiError(status, status === 404 ? "Not found" : error.message, { cause: error });
}

function fromFastify(error: unknown): ApiError | undefined {
  const { code, statusCode, message } = error as { code?: unknown; statusCode?: unknown; message?: unknown };
  if (typeof code !== "string" || typeof statusCode !== "number" || statusCode >= 500) return undefined;
  return new ApiError(statusCode, FASTIFY_DETAILS[code] ?? String(message), { cause: error });
}

const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "Cannot read the body: it is too large; send one resource at a time",
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    "Cannot read the body: send it as application/json or application/yaml and say so in the content-type header",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "Cannot read the body: it is not as long as its content-length header says",
  FST_ERR_BAD_URL: "Cannot read the path: it is not valid percent-encoding",
};

function firstOf(violations: readonly Violation[]): readonly Violation[] {
  if (violations.length <= MOST_VIOLATIONS) return violations;
  const more = violations.length - MOST_VIOLATIONS;
  return [...violations.slice(0, MOST_VIOLATIONS), { field: "", message: `and ${more} more mistakes` }];
}
