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
  /** To whom results about a destination belong: to it, or to the proxy when they are of no use to others. */
  readonly ownerOf: (destination: Destination) => Destination | ProxyFacts;
  /** What is known already of requests to a destination, for all proxies with the same policies and part in TLS. */
  readonly outgoing: WeakMap<Destination, Outgoing>;
}

/** Puts together what one compilation works with. */
export function contextFor(context: Omit<CompileContext, "outgoing" | "ownerOf" | "proxyKey">): CompileContext {
  const { matched, tls, proxy, whole } = context;
  const readsProxy = matched.some(({ policy, policies }) => policy.readsProxy === true && policies.length > 0);
  const proxyKey = `${whole.outbounds.length > 0 ? idOf(whole) : ""}|${readsProxy ? idOf(proxy) : ""}`;
  const isOwn = whole.outbounds.length > 0 || readsProxy;
  const outgoing = outgoingOf
    .get(isOwn ? proxy : (tls ?? PLAIN), "", () => new ObjectMemo())
    .get(matched, String(proxy.node.systemCaPath), () => new WeakMap());
  const ownerOf: CompileContext["ownerOf"] = isOwn ? () => proxy : (destination) => destination;
  return { ...context, proxyKey, ownerOf, outgoing };
}

// Gone with the proxy, with its part in mutual TLS, and with the policies.
const outgoingOf = new ObjectMemo<
  ProxyFacts | ProxyTls | typeof PLAIN,
  ObjectMemo<Matched, CompileContext["outgoing"]>
>();
const PLAIN = {};

/** The proxy's part in mutual TLS, for keys of the memo. */
export function tlsKey(tls: ProxyTls | undefined): string {
  return tls === undefined ? "plain" : String(idOf(tls));
}
