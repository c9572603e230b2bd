import { connect, type PeerCertificate } from "node:tls";
import type { Ending } from "./lab.ts";

const EVERY_MILLIS = 250;

/** The certificate that a sidecar shows at this port to whoever connects now, by a whole handshake; undefined when nobody answers. */
export async function shownCertificate(port: number): Promise<PeerCertificate | undefined> {
  const { promise, resolve } = Promise.withResolvers<PeerCertificate | undefined>();
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, timeout: 2_000 });
  socket.once("secureConnect", () => resolve(socket.getPeerCertificate()));
  for (const event of ["error", "timeout", "close"]) socket.on(event, () => resolve(undefined));
  const certificate = await promise;
  socket.destroy();
  return certificate;
}

/** What was seen at the ports of sidecars until now. */
export interface Shown {
  readonly looks: number;
  readonly expired: number;
  readonly serials: ReadonlySet<string>;
}

/** Looks at the certificates at some ports four times a second until the test ends. */
export function watchShown(t: Ending, ports: () => readonly number[]): () => Shown {
  const serials = new Set<string>();
  let looks = 0;
  let expired = 0;
  const look = async (port: number): Promise<void> => {
    const before = Date.now();
    const certificate = await shownCertificate(port);
    if (certificate === undefined) return;
    looks += 1;
    serials.add(certificate.serialNumber);
    if (Date.parse(certificate.valid_to) < before) expired += 1;
  };
  const timer = setInterval(() => {
    for (const port of ports()) void look(port);
  }, EVERY_MILLIS);
  t.after(() => clearInterval(timer));
  return () => ({ looks, expired, serials: new Set(serials) });
}
