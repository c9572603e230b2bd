import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";

export type ProxyStatus = "online" | "offline" | "partiallyDegraded";

/** A proxy is offline when it is not connected or none of its inbounds is ready, degraded when some are not. */
export function proxyStatus(spec: DataplaneSpec, insight: DataplaneInsightSpec | undefined): ProxyStatus {
  if (!isOnline(insight)) return "offline";
  const inbounds = spec.networking.inbound ?? [];
  const ready = inbounds.filter((inbound) => inbound.state !== "NotReady" && inbound.health?.ready !== false);
  if (ready.length === inbounds.length) return "online";
  return ready.length === 0 ? "offline" : "partiallyDegraded";
}
