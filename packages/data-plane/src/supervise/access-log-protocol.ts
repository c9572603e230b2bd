/** Exit code of a helper that saw the end of access logs: there is nothing more to wait for. */
export const ENDED = 10;

/** How long a helper stays without a line, in milliseconds. */
export const ACCESS_LOG_IDLE_MILLIS = 60_000;
