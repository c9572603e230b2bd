import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { stolenAuthority } from "../support/rogue-certificates.ts";

const LIFE = 3_600;

interface Call {
  readonly status: string;
  readonly tickets: readonly Buffer[];
}

/** One request with a certificate, a session ticket of an earlier connection, or both. */
async function call(port: number, own?: CertificateAndKey, session?: Buffer): Promise<Call> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ["kuma"],
    ...(own === undefined ? {} : { cert: own.certificatePem, key: own.keyPem }),
    ...(session === undefined ? {} : { session }),
  });
  const tickets: Buffer[] = [];
  let text = "";
  socket.on("session", (ticket: Buffer) => tickets.push(ticket));
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.once("secureConnect", () => socket.write("GET / HTTP/1.1\r\nhost: backend\r\nconnection: close\r\n\r\n"));
  socket.once("close", () => resolve());
  await promise;
  return { status: text.split("\r\n")[0] ?? "", tickets };
}

test("nobody comes back to an inbound without a certificate that is good: there are no sessions to resume", async (t) => {
  const lab = await startLab(t);
  await lab.apply([mtls(), ALLOW_ALL, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  const backend = await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const ca = await stolenAuthority(lab);
  const begun = Date.now() - (LIFE - 6) * 1_000;
  const ends = begun + LIFE * 1_000;
  const web = await issueCertificate(ca, {
    uris: ["spiffe://default/web"],
    usages: ["client"],
    validitySeconds: LIFE,
    now: new Date(begun),
  });
  const first = await eventually(async () => {
    const answered = await call(backend.inboundPort, web);
    assert.match(answered.status, / 200 /);
    return answered;
  });
  // A ticket would be good for more than its certificate: no key is needed for it, and each brings the next one.
  const [ticket] = first.tickets;
  assert.equal((await call(backend.inboundPort, undefined, ticket)).status, "", "a ticket alone opens the port");
  await sleep(ends - Date.now() + 1_000);
  for (const session of [undefined, ticket]) {
    assert.equal((await call(backend.inboundPort, web, session)).status, "", "a certificate that has ended opens it");
  }
  assert.deepEqual(first.tickets, []);
});
