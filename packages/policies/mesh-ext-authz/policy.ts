import { isHttp } from "@heddle/engine/emit/common.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import { mergeConfs } from "@heddle/engine/match/merge.ts";
import { filtersByCaller } from "@heddle/engine/plan/caller-filters.ts";
import type { Change } from "@heddle/engine/plan/plan.ts";
import { definePolicy, type InboundRules } from "@heddle/engine/policy.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import { connectionFilter, requestFilter } from "./filters.ts";
import { meshExtAuthzKind } from "./kind.ts";
import type { ExtAuthzConf } from "./schema.ts";
import { type AuthzService, serviceOf } from "./service.ts";

/** Somebody outside of the mesh's own rules who decides about requests that come in. */
export const meshExtAuthz = definePolicy<never, ExtAuthzConf>({
  kind: meshExtAuthzKind,
  readsProxy: true,
  inbound: (rules, { protocol, key }, proxy) => {
    const everyone = rules.rules.filter(({ client }) => client === undefined).map(({ conf }) => conf);
    const conf = everyone.reduce(merged, {});
    return isHttp(protocol) ? onRequests(conf, rules, proxy) : onConnections(conf, proxy, key);
  },
});

// Who names a service means that one as a whole, not what is left of another.
function merged(weak: ExtAuthzConf, strong: ExtAuthzConf): ExtAuthzConf {
  const { grpc: _grpc, http: _http, ...rest } = weak;
  const hasService = strong.grpc !== undefined || strong.http !== undefined;
  return mergeConfs([hasService ? rest : weak, strong]) as ExtAuthzConf;
}

function onRequests(everyone: ExtAuthzConf, rules: InboundRules<ExtAuthzConf>, proxy: ProxyFacts): Change {
  const callers = callersOf(rules, merged).map(({ match, conf }) => ({ match, conf: merged(everyone, conf) }));
  const services = [everyone, ...callers.map(({ conf }) => conf)].flatMap((conf) => asked(conf, proxy) ?? []);
  const filters = (conf: ExtAuthzConf) => {
    const service = asked(conf, proxy);
    return service === undefined ? [] : [requestFilter(conf, service)];
  };
  return {
    ...filtersByCaller(
      filters(everyone),
      callers.map(({ match, conf }) => ({ match, filters: filters(conf) })),
    ),
    resources: clustersOf(services),
  };
}

function onConnections(conf: ExtAuthzConf, proxy: ProxyFacts, key: string): Change {
  const service = asked(conf, proxy);
  if (service?.grpc === undefined) return {};
  return { networkFilters: connectionFilter(conf, service, key), resources: clustersOf([service]) };
}

function asked(conf: ExtAuthzConf, proxy: ProxyFacts): AuthzService | undefined {
  return conf.enabled === false ? undefined : serviceOf(conf, proxy);
}

function clustersOf(services: readonly AuthzService[]): AuthzService["cluster"][] {
  return [...new Map(services.map(({ cluster }) => [cluster.name, cluster])).values()];
}
