import type { Resource } from "@heddle/model/resource.ts";
import { ApiError, invalid } from "../http/api-error.ts";
import type { ApiRequest } from "../http/route.ts";

/** What a caller demands of the state that its write meets: optimistic concurrency by entity tags. */
export interface Preconditions {
  readonly ifMatch: number | "any" | undefined;
  readonly ifNoneMatch: boolean;
}

/** Reads if-match and if-none-match. Throws ApiError 400 for what is no version. */
export function preconditionsOf(request: ApiRequest): Preconditions {
  const noneMatch = request.header("if-none-match");
  if (noneMatch !== undefined && noneMatch.trim() !== "*") {
    throw invalid([{ field: "if-none-match", message: "must be *, for a write that only creates" }], "Invalid header");
  }
  return { ifMatch: ifMatchOf(request.header("if-match")), ifNoneMatch: noneMatch !== undefined };
}

/** Throws ApiError 409 when the state is not the one demanded. */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Preconditions, previous: Resource | undefined): void {
  if (ifNoneMatch && previous !== undefined) {
    throw conflict(`it exists already, at version ${previous.version}; leave out if-none-match to replace it`);
  }
  if (ifMatch === undefined) return;
  if (previous === undefined) throw conflict("it does not exist; leave out if-match to create it");
  if (ifMatch !== "any" && ifMatch !== previous.version) {
    throw conflict(`it is at version ${previous.version} now, not ${ifMatch}; get it again and repeat the change`);
  }
}

/** Whether a lost race may be run again: only who named no version lets the last writer win. */
export function mayRetry({ ifMatch, ifNoneMatch }: Preconditions): boolean {
  return !ifNoneMatch && (ifMatch === undefined || ifMatch === "any");
}

function ifMatchOf(text: string | undefined): Preconditions["ifMatch"] {
  if (text === undefined) return undefined;
  if (text.trim() === "*") return "any";
  const version = /^\s*"?(\d{1,15})"?\s*$/.exec(text)?.[1];
  if (version !== undefined) return Number(version);
  throw invalid([{ field: "if-match", message: 'must be the etag of a GET, such as "7"' }], "Invalid header");
}

function conflict(state: string): ApiError {
  return new ApiError(409, `Cannot write the resource: ${state}`);
}
