import type { Violation } from "@heddle/model/violation.ts";

export interface ApiErrorOptions extends ErrorOptions {
  /** Instead of the title of the route. */
  readonly title?: string;
  readonly violations?: readonly Violation[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that cannot be fulfilled; the caller gets it as Kuma's error body. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly title: string | undefined;
  readonly violations: readonly Violation[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, options: ApiErrorOptions = {}) {
    super(detail, options);
    this.status = status;
    this.title = options.title;
    this.violations = options.violations ?? [];
    this.headers = options.headers ?? {};
  }
}

/** A 404 in Kuma's words, with what was looked for. */
export function notFound(field: string, message: string): ApiError {
  return new ApiError(404, "Not found", { violations: [{ field, message }] });
}

/** A 400 with one entry for each mistake. */
export function invalid(violations: readonly Violation[], detail = "Resource is not valid"): ApiError {
  return new ApiError(400, detail, { violations });
}
