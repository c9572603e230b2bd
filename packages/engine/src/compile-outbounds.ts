import type { OutboundUnit } from "./compile.ts";
import type { CompileContext } from "./compile-context.ts";
import { outboundListener } from "./emit/listener.ts";
import { outgoingTo } from "./outgoing.ts";
import { isLoopback, redirectedOutboundPort } from "./plan/passthrough.ts";
import type { Destination, OutboundPlan } from "./plan/plan.ts";
import { resolveBackend } from "./plan/resolve.ts";
import type { BackendReference } from "./policy.ts";
import type { DataplaneEntry } from "./snapshot/snapshot.ts";

/** The local ports under which the application reaches others, and those that lead nowhere yet. */
export interface Outbounds {
  readonly outbounds: readonly OutboundUnit[];
  readonly unresolved: readonly string[];
  readonly dependsOn: ReadonlySet<string>;
}

type Outbound = NonNullable<DataplaneEntry["resource"]["spec"]["networking"]["outbound"]>[number];

/** Compiles the local ports under which the application reaches others. */
export function compileOutbounds(context: CompileContext, all: readonly Outbound[]): Outbounds {
  const outbounds: OutboundUnit[] = [];
  const unresolved: string[] = [];
  const dependsOn = new Set<string>();
  for (const outbound of all) {
    const reference: BackendReference = outbound.backendRef ?? { kind: "Service", tags: outbound.tags };
    const resolution = resolveBackend(context.mesh, reference);
    for (const key of resolution.dependsOn) dependsOn.add(key);
    if (resolution.destination === undefined) {
      unresolved.push(describe(reference));
    } else {
      const unit = compileOutbound(context, outbound, resolution.destination);
      for (const key of unit.dependsOn) dependsOn.add(key);
      outbounds.push(unit);
    }
  }
  return { outbounds, unresolved, dependsOn };
}

function compileOutbound(
  context: CompileContext,
  { address = LOCALHOST, port }: Outbound,
  destination: Destination,
): OutboundUnit {
  const { traffic, clusters, orders, listeners } = outgoingTo(context, destination);
  const { routes, settings, applied, conflicts, destinations, dependsOn } = traffic;
  const redirected =
    !isLoopback(address) && redirectedOutboundPort(context.proxy.resource.spec.networking) !== undefined;
  const plan: OutboundPlan = { destination, address, port, redirected, tls: context.tls, routes, settings };
  const place = address === LOCALHOST ? port : `${address}:${port}${redirected ? " redirected" : ""}`;
  const listener = listeners.get(place) ?? outboundListener(plan);
  listeners.set(place, listener);
  const resources = [...clusters, listener, ...traffic.resources];
  return { plan, applied, conflicts, resources, destinations, orders, dependsOn };
}

const LOCALHOST = "127.0.0.1";

function describe({ kind, name, labels, tags, port }: BackendReference): string {
  const which = name ?? JSON.stringify(labels ?? tags ?? {});
  return `${kind} ${which}${port === undefined ? "" : ` port ${port}`}`;
}
