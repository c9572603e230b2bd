import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { after, newCa, newIntermediate } from "@heddle/identity/testkit.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { loadConfig } from "../config.ts";
import { textLog } from "../log.ts";
import { Secrets } from "../secrets.ts";
import { serverCertificatesReport } from "./report.ts";
import { openServerTls, type ServerTls } from "./server-tls.ts";
import { OperatorAuthority, shownAt } from "./testkit/pairs.ts";

const YEAR = 365 * 24 * 3_600;

interface Opened {
  readonly tls: ServerTls;
  readonly lines: readonly string[];
}

async function open(
  t: TestContext,
  flags: Readonly<Record<string, unknown>>,
  { secrets = new Secrets(openMemoryStore()), now = new Date() } = {},
): Promise<Opened> {
  const config = loadConfig({ env: {}, flags });
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const log = textLog(20, (line) => lines.push(line));
  const tls = await openServerTls(config.value, { secrets, log, now: () => now });
  t.after(() => tls[Symbol.dispose]());
  return { tls, lines };
}

async function serve(t: TestContext, tls: ServerTls, port: "api" | "dataplanes"): Promise<number> {
  const server = createServer(tls.of(port).options(), (_, response) => response.end());
  tls.of(port).onChange(() => server.setSecureContext(tls.of(port).options()));
  t.after(() => server.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}

async function files(t: TestContext, pair: { readonly cert: string; readonly key: string }) {
  const folder = await mkdtemp(join(tmpdir(), "server-tls-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  await writeFile(cert, pair.cert);
  await writeFile(key, pair.key);
  return { tlsCertFile: cert, tlsKeyFile: key };
}

test("openServerTls() makes a certificate that is renewed before it ends, and clients go on trusting it", async (t) => {
  const start = after(-0.7 * YEAR);
  const { tls } = await open(t, { hosts: "cp.example.com" }, { now: start });
  const port = await serve(t, tls, "dataplanes");
  const ca = tls.of("dataplanes").trustPem();
  const first = await shownAt(port, { ca });
  await tls.refresh(after(-0.1 * YEAR));
  assert.equal((await shownAt(port, { ca })).serial, first.serial);
  await tls.refresh(after(0));
  assert.notEqual((await shownAt(port, { ca })).serial, first.serial);
  assert.equal(tls.of("dataplanes").trustPem(), ca);
  const { cert } = tls.of("dataplanes").options();
  assert.equal(new X509Certificate(cert).checkHost("cp.example.com"), "cp.example.com");
});

test("openServerTls() keeps the authority in the store, and makes the certificate for the hosts of each start", async (t) => {
  const secrets = new Secrets(openMemoryStore());
  const { tls } = await open(t, {}, { secrets });
  const again = await open(t, { hosts: "new.example.com" }, { secrets });
  assert.equal(again.tls.of("api").trustPem(), tls.of("api").trustPem());
  const { cert } = again.tls.of("api").options();
  assert.equal(new X509Certificate(cert).checkHost("new.example.com"), "new.example.com");
});

test("openServerTls() agrees on a key with ML-KEM where the client can, and on others where it cannot", async (t) => {
  const { tls } = await open(t, {});
  const ca = tls.of("api").trustPem();
  const port = await serve(t, tls, "api");
  // Node tells the name of classic groups only; a client that knows no other than the hybrid gets through.
  await shownAt(port, { ca, ecdhCurve: "X25519MLKEM768" });
  assert.equal((await shownAt(port, { ca, ecdhCurve: "X25519" })).keyExchange, "X25519");
  assert.equal((await shownAt(port, { ca, ecdhCurve: "P-256" })).keyExchange, "prime256v1");
});

test("openServerTls() agrees on TLS 1.3, or on 1.2 with good suites only, and on 1.3 alone where told so", async (t) => {
  const { tls } = await open(t, { dpTlsMinVersion: "TLSv1_3" });
  const ca = tls.of("api").trustPem();
  const [api, dataplanes] = [await serve(t, tls, "api"), await serve(t, tls, "dataplanes")];
  const old = { ca, maxVersion: "TLSv1.2" } as const;
  assert.equal((await shownAt(api, old)).protocol, "TLSv1.2");
  assert.equal((await shownAt(api, { ca })).protocol, "TLSv1.3");
  await assert.rejects(shownAt(dataplanes, old), /protocol version/);
  const weak = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "AES256-SHA"];
  for (const ciphers of weak) await assert.rejects(shownAt(api, { ...old, ciphers }), /handshake failure/, ciphers);
  for (const version of ["TLSv1", "TLSv1.1"] as const)
    await assert.rejects(shownAt(api, { ca, minVersion: version, maxVersion: version, ciphers: "ALL:@SECLEVEL=0" }));
});

test("openServerTls() takes versions and suites for one port and for all, with Kuma's names", async (t) => {
  const { tls } = await open(t, {
    tlsMaxVersion: "TLSv1_2",
    tlsCiphers: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_AES_256_GCM_SHA384",
    apiTlsMaxVersion: "TLSv1_3",
    apiTlsMinVersion: "TLSv1_3",
  });
  const ca = tls.of("api").trustPem();
  const [api, dataplanes] = [await serve(t, tls, "api"), await serve(t, tls, "dataplanes")];
  assert.equal((await shownAt(dataplanes, { ca })).cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
  assert.equal((await shownAt(api, { ca })).protocol, "TLSv1.3");
});

const refused = [
  [{ tlsCertFile: "x" }, /needs its key and the other way round; set general\.tlsKeyFile too/],
  [{ dpTlsKeyFile: "x" }, /set dpServer\.tlsCertFile too/],
  [
    { tlsCertFile: "/nowhere/a", tlsKeyFile: "/nowhere/b" },
    /"\/nowhere\/a": there is no such file; correct general\.tlsCertFile/,
  ],
  [
    { tlsCiphers: "TLS_RSA_WITH_AES_128_CBC_SHA" },
    /"TLS_RSA_WITH_AES_128_CBC_SHA" of general\.tlsCipherSuites: it is weak; choose/,
  ],
  [{ apiTlsCiphers: "TLS_MADE_UP" }, /of apiServer\.https\.tlsCipherSuites: it is not known; choose among TLS_ECDHE/],
  [{ tlsMinVersion: "TLSv1_3", apiTlsMaxVersion: "TLSv1_2" }, /apiServer\.https\.tlsMinVersion is TLSv1_3, newer than/],
  [{ hosts: "https://x" }, /must be a host name.*correct --hosts/],
  [{ apiHttpsCaFile: "/nowhere/ca" }, /"\/nowhere\/ca": there is no such file; correct --api-https-ca-file/],
  [{ apiHttpsRequireClientCert: "true" }, /no authority is set; name one with --api-https-ca-file/],
] as const;

for (const [flags, message] of refused) {
  test(`openServerTls() refuses to start with ${JSON.stringify(flags)}`, async (t) => {
    await assert.rejects(open(t, flags), message);
  });
}

test("openServerTls() says what is wrong with a pair of files, and what to do, without a word of the key", async (t) => {
  const authority = await OperatorAuthority.create();
  const [one, other] = [await authority.pair(), await authority.pair()];
  const past = await authority.pair({ now: new Date(Date.now() - 7_200_000) });
  const future = await authority.pair({ now: new Date(Date.now() + 7_200_000) });
  const small = generateKeyPairSync("rsa", { modulusLength: 512 });
  const cases = [
    [{ cert: one.cert, key: other.key }, /the key does not belong to the certificate; give both files of one pair/],
    [past, /the certificate ended at 20.*Z; renew it/],
    [future, /is valid from 20.*Z on only; compare the clocks/],
    [{ cert: one.cert, key: one.cert }, /the key file holds no private key in PEM/],
    [{ cert: one.key, key: one.key }, /holds no "-----BEGIN CERTIFICATE-----"/],
    [{ cert: one.cert.replace("MII", "MIX"), key: one.key }, /holds a certificate that cannot be read/],
    [
      {
        ...one,
        key: String(small.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })),
      },
      /the key is encrypted; give one without a password/,
    ],
  ] as const;
  for (const [pair, message] of cases) {
    const error = await open(t, await files(t, pair)).then(
      () => assert.fail(`accepted where ${message} was expected`),
      (failure: Error) => failure,
    );
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, new RegExp(one.key.split("\n")[1] ?? "no key"));
  }
});

test("openServerTls() warns of a certificate that ends soon: once at each mark, and no more when it was replaced", async (t) => {
  const authority = await OperatorAuthority.create();
  const day = 24 * 3_600;
  const where = await files(t, await authority.pair({ validitySeconds: 40 * day }));
  const { tls, lines } = await open(t, where);
  const marks: number[] = [];
  for (const days of [5, 10.5, 11, 20, 26.5, 33.5, 37.5, 39.5]) {
    await tls.refresh(after(days * day));
    marks.push(lines.filter((line) => line.includes("ends soon")).length);
  }
  // Two ports show it, so every mark is said twice: 30, 14, 7, 3 and 1 days ahead.
  assert.deepEqual(marks, [0, 2, 2, 2, 4, 6, 8, 10]);
  await writeFile(where.tlsCertFile, (await authority.pair()).cert);
  await tls.refresh(after(39.5 * day));
  assert.match(tls.states()[0]?.problem ?? "", /does not belong/);
  const { items, warnings } = serverCertificatesReport(tls.states(), after(39.5 * day));
  assert.match(items[0]?.problem ?? "", /does not belong/);
  assert.match(warnings[0] ?? "", /^what is in the files of port "api" is not in use: .*does not belong/);
  assert.match(warnings[1] ?? "", /^the certificate of port "api" ends at /);
  assert.deepEqual(serverCertificatesReport(tls.states(), after(9 * day)).warnings.length, items.length);
});

test("openServerTls() takes a chain of an intermediate authority", async (t) => {
  const root = await newCa();
  const pair = await newIntermediate(root);
  const ca = loadCa({ ...pair, certificatePem: pair.certificatePem + root.certificatePem }, new Date());
  assert.ok(ca.ok);
  const request = {
    uris: [],
    dnsNames: ["localhost"],
    usages: ["server"],
    validitySeconds: 600,
    now: new Date(),
  } as const;
  const { certificatePem: cert, keyPem: key } = await issueCertificate(ca.value, request);
  const { tls } = await open(t, await files(t, { cert, key }));
  const port = await serve(t, tls, "dataplanes");
  assert.equal((await shownAt(port, { ca: root.trustAnchorPem })).protocol, "TLSv1.3");
});
