import { withKeyExchanges } from "./plan/key-exchange.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { DEFAULT_SPIRE_SOCKET, spireAgentCluster } from "./emit/spire-agent.ts";
import { contextFor } from "./compile-context.ts";
import { compileInbounds } from "./compile-inbounds.ts";
import { compileOutbounds } from "./compile-outbounds.ts";
import { compilePassthrough, type PassthroughUnit } from "./compile-passthrough.ts";
import { compileProxy, patched, type Whole } from "./compile-proxy.ts";
import { match, type Matched } from "./match/match.ts";
import { type Memo, TextMemo } from "./memo.ts";
import type { EndpointOrder } from "./plan/balancing.ts";
import { type CallerOrder, defaultOrder, orderFor } from "./plan/locality.ts";
import type { Conflict, Destination, InboundPlan, OutboundPlan, Patched, ProxyTls, Resources } from "./plan/plan.ts";
import { type ServerTrust, serverTrust } from "./plan/server-trust.ts";
import type { Conf, InboundRules, Policy } from "./policy.ts";
import { type ProxyFacts, proxyFacts } from "./proxy-facts.ts";
import { resourceFacts } from "./resource-facts.ts";
import { identityInForce, type ProxyIdentity } from "./snapshot/identity.ts";
import type { DataplaneEntry, MeshSnapshot } from "./snapshot/snapshot.ts";

/** What one kind of policy says at one place of a proxy. */
export interface Applied {
  readonly kind: string;
  readonly conf: Conf;
}

/** An inbound or outbound with everything that was decided for it: what the inspect API shows and what Envoy gets. */
export interface Unit<Plan> {
  readonly plan: Plan;
  readonly applied: readonly Applied[];
  readonly conflicts: readonly Conflict[];
  readonly resources: readonly EncodedResource[];
}
export interface InboundUnit extends Unit<InboundPlan> {
  readonly rules: readonly { readonly kind: string; readonly rules: InboundRules }[];
}
export interface OutboundUnit extends Unit<OutboundPlan> {
  /** Every destination its routes lead to, and itself. */
  readonly destinations: readonly Destination[];
  /** Which of their instances are called first, by the key of a destination, where policies say so. */
  readonly orders: ReadonlyMap<string, EndpointOrder>;
  readonly dependsOn: readonly string[];
}

/** Everything one proxy needs but endpoints and secrets, which change on their own. */
export interface Compiled {
  readonly identity: ProxyIdentity | undefined;
  readonly proxy: ProxyFacts;
  readonly matched: Matched;
  /** What policies say about the proxy as a whole, and what it has beside its inbounds and outbounds. */
  readonly whole: Whole;
  readonly inbounds: readonly InboundUnit[];
  readonly outbounds: readonly OutboundUnit[];
  readonly passthrough: PassthroughUnit;
  /** Outbounds whose destination does not exist (yet): they get no listener. */
  readonly unresolved: readonly string[];
  readonly resources: Resources;
  /** What policies for resources changed or added, and which ones did. */
  readonly patchOrigins: Patched["origins"];
  /** By the key of their endpoints. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Which of their instances this proxy calls first, where policies say so; see `endpointOrder`. */
  readonly orders: ReadonlyMap<string, CallerOrder>;
  /** What their servers are verified with, by the name of the secret. */
  readonly serverTrust: ReadonlyMap<string, ServerTrust>;
  /** Services whose change may change this result; "MeshService/*" stands for any. */
  readonly dependsOn: ReadonlySet<string>;
}

/** Compiles a proxy: what the mesh and its policies mean for it, as Envoy's resources. Pure but for the memo. */
export function compile(mesh: MeshSnapshot, entry: DataplaneEntry, policies: readonly Policy[], memo: Memo): Compiled {
  const {
    resource: proxy,
    facts: { node },
  } = entry;
  const identity = identityInForce(mesh, entry);
  const matched = match(mesh, proxy, policies, memo);
  const tls = withKeyExchanges(identity?.tls, node ?? {});
  const facts = proxyFacts(mesh, proxy, { tls, node, memo });
  const whole = compileProxy(matched, facts, memo);
  const context = contextFor({ mesh, matched, tls, memo, proxy: facts, whole });
  const inbounds = compileInbounds(context, proxy);
  const { outbounds, unresolved, dependsOn } = compileOutbounds(context, proxy.spec.networking.outbound ?? []);
  const passthrough = compilePassthrough(facts, whole, memo);
  const emitted = byTypeAndName([agentOf(facts), ...inbounds, ...outbounds, passthrough, ...whole.units]);
  const { resources, origins } = patched(emitted, whole, () =>
    resourceFacts({ proxy, inbounds, outbounds, passthrough, whole }),
  );
  const destinations = byKey(outbounds);
  return {
    identity,
    proxy: facts,
    matched,
    whole,
    inbounds,
    outbounds,
    passthrough,
    unresolved,
    resources,
    patchOrigins: origins,
    destinations,
    orders: ordersFor(outbounds, facts),
    serverTrust: serverTrusts(tls, destinations),
    dependsOn,
  };
}

/** The SPIRE agent beside the proxy, when its identity comes from there. */
function agentOf({ tls, node }: ProxyFacts): { readonly resources: readonly EncodedResource[] } {
  if (tls?.agent === undefined) return NOTHING;
  const { timeout } = tls.agent;
  const socket = node.spireSocket ?? DEFAULT_SPIRE_SOCKET;
  return spireAgents.get(`${socket}|${timeout}`, () => ({ resources: [spireAgentCluster(socket, timeout)] }));
}

const NOTHING = { resources: [] };
const spireAgents = new TextMemo(100);

function byTypeAndName(units: readonly { readonly resources: readonly EncodedResource[] }[]): Resources {
  const types = new Map<string, Map<string, EncodedResource>>();
  for (const { resources } of units) for (const resource of resources) put(types, resource);
  return types;
}

function put(types: Map<string, Map<string, EncodedResource>>, resource: EncodedResource): void {
  const names = types.get(resource.typeUrl);
  if (names === undefined) types.set(resource.typeUrl, new Map([[resource.name, resource]]));
  else names.set(resource.name, resource);
}

function byKey(outbounds: readonly OutboundUnit[]): Compiled["destinations"] {
  const found = new Map<string, Destination>();
  for (const { destinations } of outbounds) {
    for (const destination of destinations) found.set(destination.key, destination);
  }
  return found;
}

function serverTrusts(tls: ProxyTls | undefined, destinations: Compiled["destinations"]): Compiled["serverTrust"] {
  const found = new Map<string, ServerTrust>();
  if (tls === undefined) return found;
  for (const { tls: upstream } of destinations.values()) {
    if (upstream === undefined) continue;
    const trust = serverTrust(tls, upstream);
    found.set(trust.secret, trust);
  }
  return found;
}

function ordersFor(outbounds: readonly OutboundUnit[], proxy: ProxyFacts): Compiled["orders"] {
  const found = new Map<string, CallerOrder>();
  for (const { orders } of outbounds) {
    for (const [key, order] of orders) if (!found.has(key)) found.set(key, orderFor(order, proxy));
  }
  return found;
}

/** Destinations whose instances are discovered: what is outside of the mesh says itself where it is. */
export function discovered({ destinations }: Pick<Compiled, "destinations">): readonly Destination[] {
  return [...destinations.values()].filter(({ external }) => external === undefined);
}

/** Which instances of a destination a proxy calls first. */
export function endpointOrder({ orders, proxy }: Compiled, destination: Destination): CallerOrder {
  return orders.get(destination.key) ?? defaultOrder(proxy, destination);
}
