import type { Compiled, InboundUnit } from "@heddle/engine/compile.ts";
import { isHttp } from "@heddle/engine/emit/common.ts";
import type { Conf } from "@heddle/engine/policy.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { descriptorText, type Limit, limitsOf, ruleOf } from "@heddle/policies/mesh-global-rate-limit/limits.ts";
import { meshGlobalRateLimit } from "@heddle/policies/mesh-global-rate-limit/policy.ts";
import type { GlobalRateLimitConf } from "@heddle/policies/mesh-global-rate-limit/schema.ts";

/** A limit that a proxy asks its control plane about. */
export interface ProxyLimit {
  readonly limit: Limit;
  /** Kuma 2.x: the service of the inbound. */
  readonly serviceTag: string | undefined;
}

/** The limits that the control plane counts for a proxy, by the text of their descriptors. */
export function limitsOfProxy({ inbounds }: Pick<Compiled, "inbounds">): ReadonlyMap<string, ProxyLimit> {
  return new Map(inbounds.flatMap((unit) => [...limitsOfInbound(unit)]));
}

/** Whether a proxy has to find the control plane's rate limit service. */
export function asksForLimits({ inbounds }: Pick<Compiled, "inbounds">): boolean {
  return inbounds.some((unit) => limitsOfInbound(unit).size > 0);
}

function limitsOfInbound(unit: InboundUnit): ReadonlyMap<string, ProxyLimit> {
  const known = ofUnit.get(unit);
  if (known !== undefined) return known;
  const found = readLimits(unit);
  ofUnit.set(unit, found);
  return found;
}

// Units are shared by what they are made of, so a proxy that did not change is not looked at again.
const ofUnit = new WeakMap<InboundUnit, ReadonlyMap<string, ProxyLimit>>();

function readLimits({ plan, applied }: InboundUnit): ReadonlyMap<string, ProxyLimit> {
  // The engine gives each kind the confs that its own schema accepted.
  const conf = applied.find(({ kind }) => kind === meshGlobalRateLimit.kind.type)?.conf as
    | Conf<GlobalRateLimitConf>
    | undefined;
  if (conf === undefined || !isHttp(plan.protocol) || conf.value.backend?.rateLimitService.url !== undefined) {
    return NONE;
  }
  const rule = ruleOf(conf, plan.name);
  const serviceTag = plan.tags[LABEL.service];
  return new Map(
    limitsOf(conf.value).map(({ header, limit }) => [descriptorText(rule, header), { limit, serviceTag }]),
  );
}

const NONE: ReadonlyMap<string, ProxyLimit> = new Map();
