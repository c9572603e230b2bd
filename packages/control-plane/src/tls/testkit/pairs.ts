import { connect, type DetailedPeerCertificate, type SecureContextOptions } from "node:tls";
import type { Ca } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { newCa } from "@heddle/identity/testkit.ts";

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of an operator, for localhost. */
export class OperatorAuthority {
  readonly #ca: Ca;

  private constructor(ca: Ca) {
    this.#ca = ca;
  }

  static async create(name = "operator"): Promise<OperatorAuthority> {
    return new OperatorAuthority(await newCa(name));
  }

  get pem(): string {
    return this.#ca.trustAnchorPem;
  }

  async pair({ validitySeconds = 3_600, now = new Date(), client = "" } = {}): Promise<Pair> {
    const { certificatePem, keyPem } = await issueCertificate(this.#ca, {
      uris: client === "" ? [] : [`test://${client}`],
      dnsNames: client === "" ? ["localhost"] : [],
      ips: client === "" ? ["127.0.0.1"] : [],
      commonName: client === "" ? "localhost" : client,
      usages: [client === "" ? "server" : "client"],
      validitySeconds,
      now,
    });
    return { cert: certificatePem, key: keyPem };
  }
}

/** What a server showed and how the connection was secured. */
export interface Shown {
  readonly serial: string;
  readonly issuer: string;
  readonly protocol: string | null;
  readonly cipher: string;
  readonly keyExchange: string;
}

/** Connects to localhost, verifies, and tells what was there. Rejects with OpenSSL's error. */
export async function shownAt(port: number, options: SecureContextOptions): Promise<Shown> {
  const { promise, resolve, reject } = Promise.withResolvers<Shown>();
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["http/1.1"], ...options });
  socket.once("error", reject).once("secureConnect", () => {
    const peer: DetailedPeerCertificate = socket.getPeerCertificate(true);
    const exchange = socket.getEphemeralKeyInfo() as { readonly name?: string };
    resolve({
      serial: peer.serialNumber,
      issuer: String(peer.issuer.CN),
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().name,
      keyExchange: exchange.name ?? "",
    });
    socket.destroy();
  });
  return await promise;
}
