import type { Matched } from "./match/match.ts";
import { idOf, type Memo, ObjectMemo } from "./memo.ts";
import type { Destination, ProxyTls } from "./plan/plan.ts";
import type { MeshSnapshot } from "./snapshot/snapshot.ts";
import type { Outgoing } from "./outgoing.ts";

/** What the compilation of one proxy works with. */
export interface CompileContext {
  readonly mesh: MeshSnapshot;
  readonly matched: Matched;
  readonly tls: ProxyTls | undefined;
  readonly memo: Memo;
  /** What is known already of requests to a destination, for all proxies with the same policies and part in TLS. */
  readonly outgoing: WeakMap<Destination, Outgoing>;
}

/** Puts together what one compilation works with. */
export function contextFor(context: Omit<CompileContext, "outgoing">): CompileContext {
  const outgoing = outgoingOf.get(context.matched, tlsKey(context.tls), () => new WeakMap());
  return { ...context, outgoing };
}

const outgoingOf = new ObjectMemo<Matched, CompileContext["outgoing"]>();

/** The proxy's part in mutual TLS, for keys of the memo. */
export function tlsKey(tls: ProxyTls | undefined): string {
  return tls === undefined ? "plain" : String(idOf(tls));
}
