import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { SecretSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { FakeProxy } from "@heddle/xds/fake.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSidecar } from "../support/fake-sidecar.ts";
import { mtls, startLab } from "../support/lab.ts";

const PROXIES = 20;
const LIFE = 6_000;
const STORM = 9_000;
const INBOUND = { inbound: [{ port: 8_080, servicePort: 8_081, name: "main", protocol: "http" }] };
const IDENTITY = "system_mtls_identity_default";

/** What part of its life the certificate has left that a proxy holds; undefined without one. */
function lifeLeft(proxy: FakeProxy): number | undefined {
  const bytes = proxy.held.get(TYPE_URL.secret)?.get(IDENTITY)?.value;
  if (bytes === undefined) return undefined;
  const { type } = fromBinary(SecretSchema, bytes);
  assert.equal(type.case, "tlsCertificate");
  const chain = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier.value : undefined;
  const { validTo } = new X509Certificate(Buffer.from(chain as Uint8Array));
  return (Date.parse(validTo) - Date.now()) / LIFE;
}

test("a storm of reconnects: whatever its moment, no proxy is served a certificate with less than a third of its life", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls("STRICT", `${LIFE}ms`));
  const token = await lab.token("");
  const end = Date.now() + STORM;
  let connections = 0;
  let served = 0;
  let least = 1;
  const storm = async (index: number): Promise<void> => {
    const name = `web-${index}`;
    const proxy = fakeSidecar(t, lab.at, { name, token, networking: INBOUND, keepValues: true });
    proxy.onResponse = ({ typeUrl, resources }) => {
      if (typeUrl !== TYPE_URL.secret || !resources.some((each) => each.name === IDENTITY)) return;
      served += 1;
      least = Math.min(least, lifeLeft(proxy) ?? 0);
    };
    for (let turn = 0; Date.now() < end; turn += 1) {
      const accepted = proxy.connect().then(
        () => (connections += 1),
        () => undefined,
      );
      // Every other connection is cut at any moment, also while it is being let in.
      if (turn % 2 === 0) await accepted;
      await sleep(Math.random() * 200);
      proxy.disconnect();
      await accepted;
    }
    await proxy.connect();
    await eventually(() => assert.ok((lifeLeft(proxy) ?? 0) > 1 / 3, `${name} has ${lifeLeft(proxy)} of a life left`));
  };
  await Promise.all(Array.from({ length: PROXIES }, (_, index) => storm(index)));
  t.diagnostic(`${connections} connections, ${served} certificates, at least ${least.toFixed(2)} of their life left`);
  assert.ok(served > PROXIES, "certificates were renewed meanwhile");
  assert.ok(least > 1 / 3, `one had ${least} of its life left`);
});
