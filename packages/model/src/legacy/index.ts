import type { Resource } from "../resource.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { externalService } from "./external-service.ts";
import { faultInjection } from "./fault-injection.ts";
import { healthCheck } from "./health-check.ts";
import type { LegacyKind, Translation, TranslationContext } from "./legacy-kind.ts";
import { proxyTemplate } from "./proxy-template.ts";
import { rateLimit } from "./rate-limit.ts";
import { retry } from "./retry.ts";
import { timeout } from "./timeout.ts";
import { trafficLog } from "./traffic-log.ts";
import { trafficPermission } from "./traffic-permission.ts";
import { trafficRoute } from "./traffic-route.ts";
import { trafficTrace } from "./traffic-trace.ts";

/** The kinds of Kuma 2.x that live on as others: kept as they are written, in force as what they are translated to. */
export const LEGACY_KINDS: readonly LegacyKind[] = [
  circuitBreaker,
  externalService,
  faultInjection,
  healthCheck,
  proxyTemplate,
  rateLimit,
  retry,
  timeout,
  trafficLog,
  trafficPermission,
  trafficRoute,
  trafficTrace,
];

const byType = new Map(LEGACY_KINDS.map((kind) => [kind.type, kind]));

/** The kind of Kuma 2.x of this name; undefined for every other. */
export function legacyKindOf(type: string): LegacyKind | undefined {
  return byType.get(type);
}

/** What a resource of Kuma 2.x is in today's kinds; undefined for resources of other kinds. */
export function translate(
  { type, name, spec }: Pick<Resource, "type" | "name" | "spec">,
  mesh: TranslationContext["mesh"],
): Translation | undefined {
  return legacyKindOf(type)?.legacy.translate(spec, { name, mesh });
}
