import { once } from "node:events";
import { performServerHandshake } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { Ending } from "./lab.ts";

/** A server that stands in the place of a proxy, as after a restart on another host. */
export interface RogueServer {
  readonly port: number;
  /** How many connections came, whatever became of them. */
  readonly called: () => number;
  /** How many requests came. */
  readonly got: () => number;
  /** Shows another certificate from now on. */
  readonly show: (certificate: CertificateAndKey) => void;
}

/** Answers like a proxy of the mesh, with a certificate of the test's choice, to whoever goes on talking to it then. */
export async function rogueServer(t: Ending, certificate: CertificateAndKey): Promise<RogueServer> {
  let [called, got] = [0, 0];
  const options = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ["kuma"] };
  const server = createServer({ ...keys(certificate), ...options }, (socket) => {
    performServerHandshake(socket).on("stream", (stream) => {
      got += 1;
      stream.respond({ ":status": 200 });
      stream.end("answered");
    });
  });
  server.on("connection", () => (called += 1)).on("tlsClientError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const show = (other: CertificateAndKey): void => server.setSecureContext({ ...keys(other), ...options });
  return { port, called: () => called, got: () => got, show };
}

function keys({ certificatePem, keyPem }: CertificateAndKey): { cert: string; key: string } {
  return { cert: certificatePem, key: keyPem };
}
