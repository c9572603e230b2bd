/** What a proxy asks about one request that it got. */
export interface RateLimitQuestion {
  readonly domain: string;
  /** Each is a list of what is said about the request; a limit may be about any of them. */
  readonly descriptors: readonly (readonly DescriptorEntry[])[];
  /** How much the request counts, at least 1. */
  readonly hits: number;
}

export interface DescriptorEntry {
  readonly key: string;
  readonly value: string;
}

export type RateLimitAnswer = "ok" | "over limit";

/** Thrown when nobody can say: the proxy then does what its policy says for that case. */
export class RateLimitFailure extends Error {
  override readonly name = "RateLimitFailure";
  readonly code: "permission_denied" | "not_found" | "unavailable";

  constructor(code: RateLimitFailure["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Decides about requests. `caller` is the URI in the certificate that the proxy showed. */
export interface RateLimitHooks {
  decide(caller: string, question: RateLimitQuestion): RateLimitAnswer | Promise<RateLimitAnswer>;
}
