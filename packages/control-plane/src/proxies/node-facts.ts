import { isAbsolute } from "node:path";
import type { NodeFacts } from "@heddle/engine/snapshot/snapshot.ts";
import { ACCESS_LOG_PIPE_FEATURE, accessLogPipe } from "@heddle/model/access-log-pipe.ts";
import { adminTarget } from "../envoy-admin/admin-target.ts";
import { keyExchangesOf } from "./key-exchanges.ts";

/** What policies may know of a proxy's machine, from the metadata of its node. */
export function nodeFacts(
  metadata: Readonly<Record<string, unknown>>,
  proxy: { readonly mesh: string; readonly name: string },
): NodeFacts {
  const { workdir, features, systemCaPath, metricsCertPath, metricsKeyPath } = metadata;
  const spireSocket = metadata["spireAgent.socketPath"];
  const hasPipe = Array.isArray(features) && features.includes(ACCESS_LOG_PIPE_FEATURE);
  const admin = adminTarget(metadata)?.admin;
  const keyExchanges = keyExchangesOf(metadata);
  return {
    ...(hasPipe && isPath(workdir) ? { accessLogPipe: accessLogPipe(workdir, proxy) } : {}),
    ...(isPath(systemCaPath) ? { systemCaPath } : {}),
    ...(admin === undefined ? {} : { admin }),
    ...(isPath(spireSocket) ? { spireSocket } : {}),
    ...(isPath(workdir) ? { workDir: workdir } : {}),
    ...(isPath(metricsCertPath) && isPath(metricsKeyPath)
      ? { metricsTls: { certPath: metricsCertPath, keyPath: metricsKeyPath } }
      : {}),
    ...(keyExchanges === undefined ? {} : { keyExchanges }),
  };
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && isAbsolute(value);
}
