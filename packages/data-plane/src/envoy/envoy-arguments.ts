import { LINE_FORMATS } from "../log.ts";
import type { DataplaneOptions } from "../options/settings.ts";

type Source = Pick<
  DataplaneOptions,
  "drainTime" | "concurrency" | "envoyLogLevel" | "envoyComponentLogLevel" | "logFormat"
>;

/**
 * Envoy's command line. https://www.envoyproxy.io/docs/envoy/latest/operations/cli
 * Hot restart is off: it wants shared memory and a stable epoch, and a crashed Envoy has nothing to hand over.
 * Lines of access logs wait for a second at most, instead of Envoy's ten: people watch them.
 * Draining is immediate: once asked to, each answer closes its connection, instead of more of them as time passes.
 */
export function envoyArguments(configPath: string, options: Source): readonly string[] {
  return [
    "--config-path",
    configPath,
    "--drain-time-s",
    String(Math.ceil(options.drainTime / 1_000)),
    "--drain-strategy",
    "immediate",
    "--disable-hot-restart",
    "--file-flush-interval-msec",
    "1000",
    ...(options.concurrency === 0 ? [] : ["--concurrency", String(options.concurrency)]),
    "--log-level",
    options.envoyLogLevel,
    ...(options.envoyComponentLogLevel === undefined ? [] : ["--component-log-level", options.envoyComponentLogLevel]),
    "--log-format",
    LINE_FORMATS[options.logFormat].envoy,
  ];
}
