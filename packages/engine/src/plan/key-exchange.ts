import { ObjectMemo } from "../memo.ts";
import type { NodeFacts } from "../snapshot/snapshot.ts";
import type { ProxyTls } from "./plan.ts";

/** The part in mutual TLS of a proxy whose Envoy has to be told what to agree on keys with. */
export function withKeyExchanges(tls: ProxyTls | undefined, { keyExchanges }: NodeFacts): ProxyTls | undefined {
  if (tls === undefined || keyExchanges === undefined) return tls;
  return told.get(tls, keyExchanges.join(), () => ({ ...tls, keyExchanges }));
}

// What is made for one part in mutual TLS serves all who share it.
const told = new ObjectMemo<ProxyTls, ProxyTls>();
