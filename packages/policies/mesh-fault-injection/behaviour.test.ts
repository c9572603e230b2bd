import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { meshCertificates } from "@heddle/engine/testkit/mesh-certificates.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const mesh = `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http, tags: { kuma.io/service: backend } }
    - { port: 9090, servicePort: 19090, name: old, protocol: http, tags: { kuma.io/service: legacy } }
---
type: MeshTrafficPermission
name: everybody
spec:
  rules:
    - default:
        allow: [{ spiffeID: { type: Prefix, value: "spiffe://default/" } }]
        deny: [{ spiffeID: { type: Exact, value: "spiffe://default/banned" } }]
---
type: MeshFaultInjection
name: faults
spec:
  targetRef: { kind: MeshService, name: backend }
  rules:
    - default: { http: [{ abort: { httpStatus: 503, percentage: 30 } }] }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/lucky" } }]
      default: { http: [] }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/late" } }]
      default: { http: [{ delay: { value: 300ms, percentage: 100 } }, { abort: { httpStatus: 418, percentage: 100 } }] }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/thin" } }]
      default: { http: [{ responseBandwidth: { limit: 8kbps, percentage: 100 } }] }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/banned" } }]
      default: { http: [{ abort: { httpStatus: 418, percentage: 100 } }] }
---
type: MeshFaultInjection
name: faults-by-tags
spec:
  targetRef: { kind: MeshService, name: legacy }
  from:
    - targetRef: { kind: MeshServiceSubset, name: web, tags: { version: v1 } }
      default: { http: [{ abort: { httpStatus: 500, percentage: 100 } }] }
`;
const BODY = Buffer.alloc(4_096, "x");

interface Outcome {
  readonly status: number | undefined;
  readonly millis: number;
  readonly size: number;
}

test("meshFaultInjection makes go wrong what it says, for whom it says", { timeout: 60_000 }, async (t) => {
  const authority = await meshCertificates();
  const application = createServer((_, answer) => answer.end(BODY)).listen(0, "127.0.0.1");
  t.after(() => application.close());
  await once(application, "listening");
  const { port } = application.address() as { readonly port: number };
  const ports = await runEnvoy(t, compileYaml(mesh, policies), {
    endpoints: { self_inbound_dp_api: port, self_inbound_dp_old: port },
    secrets: { ...(await authority.issue("spiffe://default/backend")), ...authority },
  });
  const call = async (name: string, ...uris: readonly string[]): Promise<() => Promise<Outcome>> => {
    const { certificatePem: cert, keyPem: key } = await authority.issue(...uris);
    const where = { host: "127.0.0.1", port: ports.get(`self_inbound_dp_${name}`), agent: false };
    return async () => {
      const started = performance.now();
      const asked = request({ ...where, cert, key, rejectUnauthorized: false }).end();
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      const { length } = await buffer(answer);
      return { status: answer.statusCode, millis: performance.now() - started, size: length };
    };
  };
  await t.test("a share of the requests fails", async () => {
    const ask = await call("api", "spiffe://default/web");
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 200; count++) statuses.push((await ask()).status);
    const failed = statuses.filter((status) => status === 503).length;
    assert.equal(statuses.filter((status) => status === 200).length, 200 - failed);
    // 60 are expected; less than one run in a million has fewer than 28 or more than 92.
    assert.ok(failed >= 28 && failed <= 92, `${failed} of 200 failed`);
  });
  await t.test("a caller whose rule lifts the faults meets none", async () => {
    const ask = await call("api", "spiffe://default/lucky");
    for (let count = 0; count < 30; count++) assert.equal((await ask()).status, 200);
  });
  await t.test("faults in a list are met one after the other", async () => {
    const { status, millis } = await (await call("api", "spiffe://default/late"))();
    assert.equal(status, 418);
    assert.ok(millis >= 290, `it took ${millis} ms`);
  });
  await t.test("a response comes at the pace it says", async () => {
    const { status, millis, size } = await (await call("api", "spiffe://default/thin"))();
    assert.deepEqual([status, size], [200, BODY.length]);
    assert.ok(millis >= 350, `4 KiB at 8 KiB a second took ${millis} ms`);
  });
  await t.test("a caller that is denied meets no fault", async () => {
    assert.equal((await (await call("api", "spiffe://default/banned"))()).status, 403);
  });
  const tags: readonly (readonly [readonly string[], number])[] = [
    [["spiffe://default/web", "kuma://version/v1"], 500],
    [["spiffe://default/web", "kuma://version/v2"], 200],
    [["spiffe://default/job", "kuma://version/v1"], 200],
  ];
  for (const [uris, expected] of tags) {
    await t.test(`${uris.join(" ")} gets ${expected} by its tags`, async () => {
      assert.equal((await (await call("old", ...uris))()).status, expected);
    });
  }
});
