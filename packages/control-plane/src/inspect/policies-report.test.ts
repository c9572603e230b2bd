import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "./testkit/lab.ts";
import { LABELLED, LABELLED_POLICIES, TAGGED, TAGGED_POLICIES } from "./testkit/meshes.ts";

const web = { mesh: "default", name: "web-1" };
const backend = { mesh: "default", name: "backend-1" };
const outbound = "kri_msvc_default___backend_main";
const matches = [{ path: { type: "PathPrefix", value: "/next" } }, { method: "POST" }];
const conf = { backendRefs: [{ kind: "MeshService", name: "backend-next", port: 80 }] };

test("layout() gives ports the names by which the other answers, and Envoy, know them", async () => {
  await using lab = new Lab();
  await lab.write(LABELLED);
  assert.deepEqual(await lab.inspect.layout(web), {
    spiffeId: "spiffe://default/web",
    inbounds: [
      {
        kri: "kri_dp_default___web-1_http",
        port: 10001,
        protocol: "http",
        proxyResourceName: "self_inbound_dp_http",
      },
    ],
    outbounds: [{ kri: outbound, port: 20001, protocol: "http", proxyResourceName: outbound }],
    listeners: [],
  });
  const names = new Set(
    Object.values((await lab.inspect.config(web, NOW))?.xds ?? {}).flatMap((each) => Object.keys(each as object)),
  );
  assert.ok(names.has("self_inbound_dp_http") && names.has(outbound));
});

const NOW = { shadow: false, includeDiff: false };

test("layout() names outbounds of Kuma 2.x by their service, under which policies are found", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${TAGGED_POLICIES}`);
  const [first] = (await lab.inspect.layout(web))?.outbounds ?? [];
  assert.deepEqual(first, { kri: "backend", port: 20001, protocol: "http", proxyResourceName: "backend" });
  assert.deepEqual(await lab.inspect.outboundPolicies(web, "backend"), {
    policies: [
      {
        kind: "MeshTimeout",
        conf: { connectionTimeout: "3s", http: { requestTimeout: "5s" } },
        origins: [{ kri: "kri_mt_default___slow_" }],
      },
    ],
  });
});

test("outboundPolicies() and routePolicies() tell what is in force for a destination and for one route to it", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  const origins = [{ kri: "kri_mt_default___going-out_" }];
  const timeout = (requestTimeout: string) => ({
    kind: "MeshTimeout",
    conf: { connectionTimeout: "3s", http: { requestTimeout } },
    origins,
  });
  assert.deepEqual(await lab.inspect.outboundPolicies(web, outbound), {
    policies: [
      {
        kind: "MeshHTTPRoute",
        conf: { rules: [{ matches, default: conf }] },
        origins: [{ kri: "kri_mhttpr_default___split_" }],
      },
      timeout("5s"),
    ],
  });
  for (const route of ["kri_mhttpr_default___split_rule_0", "kri_mhttpr_default___split_"]) {
    assert.deepEqual(await lab.inspect.routePolicies(web, outbound, route), { policies: [timeout("2s")] });
  }
  assert.deepEqual(await lab.inspect.policies(web), { policies: [] }, "no kind speaks of whole proxies yet");
});

test("routes() lists the rules of routing policies under the names that they have in Envoy", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  assert.deepEqual(await lab.inspect.routes(web, outbound), {
    routes: [
      {
        kind: "MeshHTTPRoute",
        origins: [{ kri: "kri_mhttpr_default___split_" }],
        rules: [{ kri: "kri_mhttpr_default___split_rule_0", matches, conf }],
      },
    ],
  });
  const { xds } = (await lab.inspect.config(web, NOW)) ?? {};
  assert.match(JSON.stringify(xds), /"name":"kri_mhttpr_default___split_rule_0"/);
});

test("inboundPolicies() lists rules with whom they mean", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  assert.deepEqual(await lab.inspect.inboundPolicies(backend, "kri_dp_default___backend-1_http"), {
    policies: [
      {
        kind: "MeshTimeout",
        rules: [
          {
            match: { spiffeID: { type: "Exact", value: "spiffe://default/web" } },
            conf: { http: { requestTimeout: "1s" } },
          },
          { kri: "kri_mt_default___coming-in_rule_0", conf: { idleTimeout: "9s" } },
        ],
        origins: [{ kri: "kri_mt_default___coming-in_" }],
      },
      {
        kind: "MeshTrafficPermission",
        rules: [
          {
            kri: "kri_mtp_default___shops_rule_0",
            conf: {
              allow: [{ spiffeID: { type: "Exact", value: "spiffe://default/shop" } }],
              deny: [{ spiffeID: { type: "Prefix", value: "spiffe://default/evil" } }],
            },
          },
        ],
        origins: [{ kri: "kri_mtp_default___shops_" }],
      },
    ],
  });
});

test("what is asked about and not there is undefined", async () => {
  await using lab = new Lab();
  await lab.write(`${LABELLED}---${LABELLED_POLICIES}`);
  assert.equal(await lab.inspect.inboundPolicies(backend, "kri_dp_default___backend-1_other"), undefined);
  assert.equal(await lab.inspect.outboundPolicies(web, "kri_msvc_default___other_main"), undefined);
  assert.equal(await lab.inspect.routes(web, "kri_msvc_default___other_main"), undefined);
  assert.equal(await lab.inspect.routePolicies(web, outbound, "kri_mhttpr_default___other_rule_0"), undefined);
  assert.equal(await lab.inspect.layout({ mesh: "default", name: "nobody" }), undefined);
});

test("matchedDataplanes() lists whom a policy selects, a shadow policy too", async () => {
  await using lab = new Lab();
  await lab.write(`${TAGGED}---${TAGGED_POLICIES}`);
  const names = async (type: string, name: string): Promise<readonly string[]> =>
    (await lab.inspect.matchedDataplanes({ type, mesh: "default", name })).map((key) => key.name);
  assert.deepEqual(await names("MeshTrafficPermission", "some"), ["backend-1", "backend-2"]);
  assert.deepEqual(await names("MeshTimeout", "slow"), ["web-1"]);
  assert.deepEqual(await names("MeshTimeout", "none"), []);
  await lab.write(TAGGED_POLICIES.replaceAll(/^name: (.+)$/gm, "name: $1\nlabels: { kuma.io/effect: shadow }"));
  assert.deepEqual(await names("MeshTimeout", "slow"), ["web-1"]);
});
