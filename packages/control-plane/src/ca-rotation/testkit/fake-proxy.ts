import { X509Certificate } from "node:crypto";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { MeshRuntime } from "../../mesh/mesh-runtime.ts";
import type { Proxy } from "../../mesh/proxy.ts";

/** What a sidecar has: its certificate, and what it trusts. It keeps both while no control plane is there. */
export class FakeProxy {
  readonly name: string;
  /** Acknowledges what it gets at once; otherwise when it is told to. */
  isPrompt = true;
  #proxy: Proxy | undefined;
  #runtime: MeshRuntime | undefined;
  #waiting: ResourceSet | undefined;
  #onSaid = (): void => undefined;
  #secrets = new Map<string, EncodedResource>();

  constructor(name: string) {
    this.name = name;
  }

  /** `onSaid` is told when it acknowledged something, as sessions tell it. */
  connect(runtime: MeshRuntime, onSaid: () => void): void {
    this.#onSaid = onSaid;
    const proxy = runtime.connect(this.name);
    this.#proxy = proxy;
    this.#runtime = runtime;
    proxy.attach((set) => {
      this.#waiting = set;
      // As over a socket: never in the turn in which it was sent.
      if (this.isPrompt) setImmediate(() => this.acknowledge());
    });
  }

  disconnect(): void {
    if (this.#proxy !== undefined) this.#runtime?.disconnect(this.#proxy);
    this.forgetStream();
  }

  /** The control plane is gone, and says nothing about it. */
  forgetStream(): void {
    this.#proxy = undefined;
    this.#runtime = undefined;
    this.#waiting = undefined;
  }

  get isConnected(): boolean {
    return this.#proxy !== undefined;
  }

  /** Takes over what was sent last. */
  acknowledge(): void {
    const [proxy, set] = [this.#proxy, this.#waiting];
    if (proxy === undefined || set === undefined) return;
    this.#waiting = undefined;
    const secrets = set.get(TYPE_URL.secret) ?? new Map<string, EncodedResource>();
    // The control plane knows the version only, and trusts that the proxy has the rest.
    const lacks = [...secrets].some(
      ([name, { bytes, version }]) => bytes.length === 0 && this.#secrets.get(name)?.version !== version,
    );
    if (lacks) return this.#runtime?.reissue(proxy);
    for (const [name, secret] of secrets) if (secret.bytes.length > 0) this.#secrets.set(name, secret);
    for (const name of this.#secrets.keys()) if (!secrets.has(name)) this.#secrets.delete(name);
    proxy.synced(set);
    this.#onSaid();
  }

  /** The certificate that it shows, PEM. */
  get certificate(): string | undefined {
    return this.#texts(/"certificateChain":\{"inlineString":"([^"]+)"/)[0];
  }

  /** Every certificate that it trusts, PEM. */
  get trusted(): readonly string[] {
    const bundles = this.#texts(/"(?:trustedCa|trustBundle)":\{"inlineString":"([^"]+)"/g);
    return bundles.flatMap((text) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
  }

  /** Whether a handshake with another one succeeds, as far as roots go. */
  trusts(pem: string): boolean {
    const leaf = new X509Certificate(pem);
    return this.trusted.some((root) => {
      const issuer = new X509Certificate(root);
      return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
    });
  }

  #texts(pattern: RegExp): string[] {
    const all = [...this.#secrets.values()].map((secret) => JSON.stringify(decoded(secret))).join("\n");
    const found = pattern.global ? [...all.matchAll(pattern)] : [pattern.exec(all)];
    return found.flatMap((match) => (match?.[1] === undefined ? [] : [JSON.parse(`"${match[1]}"`) as string]));
  }
}
