export type LogFormat = "text" | "json";
export type LogLevel = "info" | "warning" | "error";
export type Log = (level: LogLevel, message: string) => void;

/**
 * How lines look, once for all three that write them: this process, the supervising shell, and Envoy. Times are UTC.
 * `printf` takes time, level and message; messages given to it hold neither quotes nor backslashes.
 */
export const LINE_FORMATS = {
  text: {
    printf: "%s %-8s heddle: %s\\n",
    // https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-log-format
    envoy: "%Y-%m-%dT%T.%eZ %-8l envoy.%n: %v",
  },
  json: {
    printf: '{"time":"%s","level":"%s","component":"heddle","message":"%s"}\\n',
    envoy: '{"time":"%Y-%m-%dT%T.%eZ","level":"%l","component":"envoy.%n","message":"%j"}',
  },
} as const satisfies Record<LogFormat, { readonly printf: string; readonly envoy: string }>;

/** One line as the launcher writes it. */
export function logLine(format: LogFormat, level: LogLevel, message: string, now: Date): string {
  const time = now.toISOString();
  return format === "json"
    ? JSON.stringify({ time, level, component: "heddle", message })
    : `${time} ${level.padEnd(8)} heddle: ${message}`;
}

/** A log that writes whole lines. */
export function makeLog(format: LogFormat, write: (line: string) => void, now = (): Date => new Date()): Log {
  return (level, message) => write(logLine(format, level, message, now()));
}
