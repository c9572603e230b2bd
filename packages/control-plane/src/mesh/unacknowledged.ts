import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Held } from "../identity/certificates.ts";
import type { Proxy } from "./proxy.ts";

/** A certificate on its way. */
export interface Sent {
  /** When the first certificate went out that was not acknowledged. */
  readonly since: Date;
  /** What the proxy shows until it takes over the newer one; undefined when it had none that this control plane knows. */
  readonly shown: Held | undefined;
}

/** Certificates that proxies were sent and have not acknowledged. Outlives streams: a proxy that goes away takes its old one along. */
export class Unacknowledged {
  readonly #sent = new Map<string, Sent>();

  /** By the name of the proxy. */
  get sent(): ReadonlyMap<string, Sent> {
    return this.#sent;
  }

  /** Another certificate goes out; what `proxy` holds is the earlier one. */
  send({ name, held: shown }: Pick<Proxy, "name" | "held">, { issuedAt: since }: Held): void {
    // Several may be lost on a proxy that is frozen: it shows the one from before all of them.
    if (!this.#sent.has(name)) this.#sent.set(name, { since, shown });
  }

  /** A proxy acknowledged something. */
  heard({ name, held, acknowledgedSet }: Pick<Proxy, "name" | "held" | "acknowledgedSet">): void {
    if (held === undefined) return;
    const version = acknowledgedSet?.get(TYPE_URL.secret)?.get(held.secret.name)?.version;
    if (version === held.secret.version) this.#sent.delete(name);
  }

  /** Nothing is known of its certificate any more. */
  forget(name: string): void {
    this.#sent.delete(name);
  }
}
