import type { Whole } from "./compile-proxy.ts";
import type { Matched } from "./match/match.ts";
import { idOf, type Memo, ObjectMemo } from "./memo.ts";
import type { Destination, ProxyTls } from "./plan/plan.ts";
import type { ProxyFacts } from "./proxy-facts.ts";
import type { MeshSnapshot } from "./snapshot/snapshot.ts";
import type { Outgoing } from "./outgoing.ts";

/** What the compilation of one proxy works with. */
export interface CompileContext {
  readonly mesh: MeshSnapshot;
  readonly matched: Matched;
  readonly tls: ProxyTls | undefined;
  readonly memo: Memo;
  readonly proxy: ProxyFacts;
  readonly whole: Whole;
  /** Differs when policies may do different things at proxies that they select in the same way. */
  readonly proxyKey: string;
  /** What is known already of requests to a destination, for all proxies with the same policies and part in TLS. */
  readonly outgoing: WeakMap<Destination, Outgoing>;
}

/** Puts together what one compilation works with. */
export function contextFor(context: Omit<CompileContext, "outgoing" | "proxyKey">): CompileContext {
  const { matched, tls, proxy, whole } = context;
  const readsProxy = matched.some(({ policy, policies }) => policy.readsProxy === true && policies.length > 0);
  const proxyKey = `${whole.outbounds.length > 0 ? idOf(whole) : ""}|${readsProxy ? idOf(proxy) : ""}`;
  const outgoing = outgoingOf.get(
    matched,
    `${tlsKey(tls)}|${proxyKey}|${proxy.node.systemCaPath}`,
    () => new WeakMap(),
  );
  return { ...context, proxyKey, outgoing };
}

const outgoingOf = new ObjectMemo<Matched, CompileContext["outgoing"]>();

/** The proxy's part in mutual TLS, for keys of the memo. */
export function tlsKey(tls: ProxyTls | undefined): string {
  return tls === undefined ? "plain" : String(idOf(tls));
}
