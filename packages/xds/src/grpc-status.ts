/** gRPC status codes. https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const GRPC_STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type GrpcCode = keyof typeof GRPC_STATUS;

/** The headers that end a gRPC stream. */
export function statusHeaders(code: GrpcCode, message: string): Record<string, string> {
  const status = { "grpc-status": String(GRPC_STATUS[code]) };
  return message === ""
    ? status
    : { ...status, "grpc-message": percentEncode(message.slice(0, MAX_MESSAGE_CHARACTERS)) };
}

/** Reads a status out of trailers; a stream that ended without one is "unknown". */
export function readStatus(headers: Readonly<Record<string, unknown>>): {
  readonly code: GrpcCode;
  readonly message: string;
} {
  const number = Number(headers["grpc-status"] ?? GRPC_STATUS.unknown);
  const code = CODES.find((each) => GRPC_STATUS[each] === number) ?? "unknown";
  const message = headers["grpc-message"];
  return { code, message: typeof message === "string" ? decodeURIComponent(message) : "" };
}

/** A header may hold printable ASCII only: everything else, and the percent sign, is written as its UTF-8 bytes. */
function percentEncode(text: string): string {
  return text.replaceAll(/[^\x20-\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

const CODES = Object.keys(GRPC_STATUS) as readonly GrpcCode[];
/** Header blocks are bounded at many places on the way. */
const MAX_MESSAGE_CHARACTERS = 1_000;
