import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Whole } from "./compile-proxy.ts";
import { inboundPassthrough, outboundPassthrough } from "./emit/passthrough.ts";
import { idOf, type Memo } from "./memo.ts";
import {
  type Passthrough,
  redirectedFamilies,
  redirectedInboundPort,
  redirectedOutboundPort,
} from "./plan/passthrough.ts";
import type { Origin } from "./plan/plan.ts";
import type { ProxyFacts } from "./proxy-facts.ts";

/** What a transparent proxy has beside its inbounds and outbounds. One object for as long as it is the same. */
export interface PassthroughUnit {
  readonly plan: Passthrough;
  /** Policies that shaped it. */
  readonly origins: readonly Origin[];
  /** The listeners that connections are redirected to, and where they go from there. */
  readonly resources: readonly EncodedResource[];
}

/** Compiles what a proxy does with redirected connections that go nowhere else; nothing when none are redirected. */
export function compilePassthrough(proxy: ProxyFacts, whole: Whole, memo: Memo): PassthroughUnit {
  const { networking } = proxy.resource.spec;
  if (networking.transparentProxying === undefined) return NONE;
  return memo.of(proxy).get(`passthrough|${idOf(whole)}`, () => {
    const { plan, origins } = whole.passthrough ?? ofMesh(proxy);
    const [incoming, outgoing] = [redirectedInboundPort(networking), redirectedOutboundPort(networking)];
    const { address } = networking;
    const resources = redirectedFamilies(networking).flatMap((family) => [
      ...(outgoing === undefined ? [] : outboundPassthrough(plan, { family, port: outgoing, address })),
      ...(incoming === undefined ? [] : inboundPassthrough({ family, port: incoming, address })),
    ]);
    return { plan, origins, resources };
  });
}

const NONE: PassthroughUnit = { plan: { mode: "none" }, origins: [], resources: [] };

// As Kuma 2.x: what no policy speaks of passes, unless the mesh says otherwise.
function ofMesh({ mesh }: ProxyFacts): Pick<PassthroughUnit, "plan" | "origins"> {
  const mode = mesh.spec.networking?.outbound?.passthrough === false ? "none" : "all";
  return { plan: { mode }, origins: [] };
}
