import assert from "node:assert/strict";
import { test } from "node:test";
import type { Write } from "@heddle/api/ports.ts";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { Secrets } from "../secrets.ts";
import { caGuard } from "./ca-guard.ts";
import { SourceReader } from "./source-reader.ts";

const kinds = kindRegistry(CORE_KINDS);

/** What a write of these backends is told: by its schema, or else by the guard. */
async function told(backends: readonly object[], more: object = {}, before?: readonly object[]): Promise<string[]> {
  const document = (list: readonly object[]): object => ({
    type: "Mesh",
    name: "default",
    mtls: { enabledBackend: "ca", backends: list, ...more },
  });
  const parsed = parseResource(kinds, document(backends));
  if (!parsed.ok) return parsed.violations.map(({ field, message }) => `${field} ${message}`);
  await using store = openMemoryStore();
  const sources = new SourceReader(new Secrets(store), () => undefined);
  const kind = kinds.byType("Mesh");
  assert.ok(kind);
  const previous = before === undefined ? undefined : parseResource(kinds, document(before));
  const write: Write =
    previous?.ok === true
      ? { operation: "update", kind, resource: parsed.value, previous: previous.value as Resource }
      : { operation: "create", kind, resource: parsed.value };
  const { violations = [] } = await caGuard({ sources })(write, store);
  sources.stop();
  return violations.map(({ field, message }) => `${field} ${message}`);
}

const now = new Date();
const own = await createCa(meshCaRequest("default", "ecdsa-p256", now));
const other = await createCa(meshCaRequest("default", "ecdsa-p256", now));
const loaded = loadCa(own, now);
assert.ok(loaded.ok);
const leaf = await issueCertificate(loaded.value, {
  uris: ["spiffe://default/web"],
  validitySeconds: 60,
  usages: ["server"],
  now,
});

const provided = (cert: object, key: object): object => ({ name: "ca", type: "provided", conf: { cert, key } });
const text = (inlineString: string): object => ({ inlineString });
const CERT = "mtls.backends[0].conf.cert";

test("a provided authority is accepted as text and as base64", async () => {
  assert.deepEqual(await told([provided(text(own.certificatePem), text(own.keyPem))]), []);
  const base64 = (pem: string): object => ({ inline: Buffer.from(pem).toString("base64") });
  assert.deepEqual(await told([provided(base64(own.certificatePem), base64(own.keyPem))]), []);
});

test("a provided authority that cannot sign is refused where it stands", async () => {
  assert.match(
    (await told([provided(text(leaf.certificatePem), text(leaf.keyPem))])).join("\n"),
    /conf\.cert\[0\] .*CA/,
  );
  const [mismatch] = await told([provided(text(own.certificatePem), text(other.keyPem))]);
  assert.match(mismatch ?? "", /^mtls\.backends\[0\]\.conf\.key must be the private key of the first certificate/);
  assert.match((await told([provided(text("nonsense"), text(own.keyPem))]))[0] ?? "", /conf\.cert must be PEM/);
});

test("a source that is not there is named with what to do", async () => {
  const key = text(own.keyPem);
  assert.deepEqual(await told([provided({ secret: "gone" }, key)]), [
    `${CERT}.secret Secret "gone" of mesh "default" does not exist; apply it`,
  ]);
  assert.match((await told([provided({ file: "/nowhere/ca.pem" }, key)]))[0] ?? "", /conf\.cert\.file .*ENOENT/);
  const both = await told([provided({ secret: "a", file: "/b" }, key)]);
  assert.deepEqual(both, [`${CERT} must have exactly one of secret, file, inline, inlineString`]);
});

test("types: unknown ones and settings of another type are refused, with what the type has", async () => {
  assert.match((await told([{ name: "ca", type: "vualt" }]))[0] ?? "", /must be one of "builtin", "provided", "vault"/);
  const [foreign] = await told([{ name: "ca", type: "builtin", conf: { cert: text("x") } }]);
  assert.match(foreign ?? "", /conf\.cert does not belong to type builtin/);
});

test("acmpca and certmanager: what is missing, foreign or not in its form is told with its path", async () => {
  const at = "mtls.backends[0].conf";
  const conf = (type: string, settings: object): Promise<readonly string[]> =>
    told([{ name: "ca", type, conf: settings }]);
  assert.deepEqual(await conf("acmpca", {}), [`${at}.arn must be set with type acmpca`]);
  assert.match(
    (await conf("acmpca", { arn: "arn:aws:s3:::bucket" }))[0] ?? "",
    /conf\.arn must be the ARN of a private CA/,
  );
  const arn = "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/1";
  assert.deepEqual(await conf("acmpca", { arn, commonName: "{{ name }}", caCert: { expiration: "1h" } }), [
    `${at}.caCert.expiration does not belong to type acmpca`,
    `${at}.commonName must use {{ tag "key" }} and {{ tag "key" | replace "old" "new" }} only`,
  ]);
  const awsCredentials = { accessKey: { secret: "a", inlineString: "b" }, accessKeySecret: { secret: "gone" } };
  assert.deepEqual(await conf("acmpca", { arn, auth: { awsCredentials } }), [
    `${at}.auth.awsCredentials.accessKey must have exactly one of secret, file, inline, inlineString`,
  ]);
  assert.deepEqual(await conf("certmanager", { issuerRef: { name: "ca" }, dnsNames: ["{{ tag }}"], arn }), [
    `${at}.arn does not belong to type certmanager, which has issuerRef, commonName, dnsNames and caCert`,
    `${at}.dnsNames[0] must use {{ tag "key" }} and {{ tag "key" | replace "old" "new" }} only`,
  ]);
  assert.match((await conf("certmanager", { issuerRef: {} }))[0] ?? "", /conf\.issuerRef\.name /);
  assert.deepEqual(await conf("builtin", { caCert: { secret: "a" } }), [
    `${at}.caCert.secret does not belong to type builtin`,
  ]);
});

test("a Vault that cannot be reached is refused, unless the write says so or the backend stays as it was", async () => {
  const auth = { token: { inlineString: "t" } };
  const fromCp = { address: "http://127.0.0.1:1", pki: "pki", role: "dataplanes", auth };
  const vault = { name: "ca", type: "vault", conf: { fromCp } };
  const [problem] = await told([vault]);
  assert.match(
    problem ?? "",
    /conf\.fromCp does not work: Cannot reach Vault at http:\/\/127\.0\.0\.1:1 .*ECONNREFUSED/,
  );
  assert.deepEqual(await told([vault], { skipValidation: true }), []);
  assert.deepEqual(await told([vault, { name: "b", type: "builtin" }], {}, [vault]), []);
  const { auth: _, ...without } = fromCp;
  assert.match((await told([{ ...vault, conf: { fromCp: without } }]))[0] ?? "", /fromCp\.auth must be set/);
});
