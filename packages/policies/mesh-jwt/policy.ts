import { isHttp } from "@heddle/engine/emit/common.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import { mergeConfs } from "@heddle/engine/match/merge.ts";
import { filtersByCaller } from "@heddle/engine/plan/caller-filters.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { filtersFor } from "./filters.ts";
import { meshJwtKind } from "./kind.ts";
import { clustersOf } from "./providers.ts";
import type { JwtConf } from "./schema.ts";

/** Tokens that requests must carry, checked by the proxy of the service that is called. */
export const meshJwt = definePolicy<never, JwtConf>({
  kind: meshJwtKind,
  readsProxy: true,
  inbound: (rules, { protocol }, proxy) => {
    if (!isHttp(protocol)) return {};
    const everyone = rules.everyone?.value ?? {};
    const callers = callersOf(rules).map(({ match, conf }) => ({
      match,
      conf: mergeConfs([everyone, conf]) as JwtConf,
    }));
    const confs = [everyone, ...callers.map(({ conf }) => conf)].filter(({ enabled }) => enabled !== false);
    return {
      ...filtersByCaller(
        filtersFor(everyone),
        callers.map(({ match, conf }) => ({ match, filters: filtersFor(conf) })),
      ),
      resources: clustersOf(
        confs.flatMap(({ providers = [] }) => providers),
        proxy,
      ),
    };
  },
});
