import { z } from "zod";

// Envoy answers by itself with the statuses that have a name in its API, and refuses a configuration with others.
// envoy/type/v3/http_status.proto
const NAMED = new Set(
  [
    [400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417],
    [421, 422, 423, 424, 426, 428, 429, 431, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
  ].flat(),
);

/** The status of an answer that Envoy itself gives to a request which it does not let through. */
export function errorStatus(): z.ZodInt {
  return z
    .int()
    .min(400)
    .max(599)
    .refine((status) => status < 400 || status > 599 || NAMED.has(status), {
      error: ({ input }) => `must be a status that Envoy knows, such as 429 or 503, not ${String(input)}`,
    });
}
