import { isHttp } from "@heddle/engine/emit/common.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { limitFilter, serviceCluster } from "./filter.ts";
import { meshGlobalRateLimitKind } from "./kind.ts";
import { limitsOf } from "./limits.ts";
import type { GlobalRateLimitConf } from "./schema.ts";

/** How much all instances of a service take in together: they ask one service that counts. */
export const meshGlobalRateLimit = definePolicy<never, GlobalRateLimitConf>({
  kind: meshGlobalRateLimitKind,
  // A service of the user's own is told what the proxy's service is called.
  readsProxy: true,
  inbound: ({ everyone }, inbound, proxy) => {
    if (everyone === undefined || !isHttp(inbound.protocol) || limitsOf(everyone.value).length === 0) return {};
    const cluster = serviceCluster(everyone.value, proxy);
    return {
      httpFilters: [limitFilter(everyone, { inbound, proxy })],
      resources: cluster === undefined ? [] : [cluster],
    };
  },
});
