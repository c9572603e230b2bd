import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";
import type { Ending } from "./lab.ts";

/** A certificate for some names that trusts itself. */
export async function certificateFor(
  hosts: readonly string[],
  usage: "server" | "client" = "server",
): Promise<{ cert: string; key: string }> {
  const made = await createServerCertificate({
    usage,
    commonName: hosts[0] ?? "outside",
    hosts,
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  if (!made.ok) throw new Error(`Cannot make a certificate: ${JSON.stringify(made.violations)}`);
  return { cert: made.value.certificatePem, key: made.value.keyPem };
}

/** A server outside of the mesh that speaks TLS, and what it saw. */
export interface Outside {
  readonly port: number;
  readonly server: TlsServer;
}

/** Starts it; it answers with the server name it was asked for, the Host, and who the caller is. */
export async function outsideTls(
  t: Ending,
  identity: { readonly cert: string; readonly key: string },
  clientCa?: string,
): Promise<Outside> {
  const options = { ...identity, ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true }) };
  const server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    const caller = String(socket.getPeerCertificate().subject?.CN ?? "nobody");
    response.end(`sni=${String(socket.servername)} host=${request.headers.host ?? ""} caller=${caller}`);
  });
  return await listening(t, server);
}

/** The same without TLS. */
export async function outsideHttp(
  t: Ending,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly port: number }> {
  return await listening(t, createHttpServer(handle));
}

async function listening<S extends TlsServer | HttpServer>(t: Ending, server: S): Promise<{ port: number; server: S }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}
