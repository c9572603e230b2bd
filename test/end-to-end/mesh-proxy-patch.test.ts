import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, meshService, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const patch = (...appendModifications: readonly object[]): string =>
  stringify({ type: "MeshProxyPatch", mesh: "default", name: "patch", spec: { default: { appendModifications } } });

const LUA = {
  httpFilter: {
    operation: "AddFirst",
    match: { origin: "inbound" },
    value: stringify({
      name: "envoy.filters.http.lua",
      typedConfig: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        defaultSourceCode: {
          inlineString: 'function envoy_on_response(handle) handle:headers():add("x-patched", "yes") end',
        },
      },
    }),
  },
};

const WRONG = {
  spec: { default: { appendModifications: [{ cluster: { operation: "Patch", value: "conectTimeout: 1s" } }] } },
};

interface Shown {
  readonly status?: { readonly rollOut?: { readonly state: string; readonly refusals: readonly object[] } };
}

/** The refusals of the policy, once it is held. */
async function refusals(lab: Lab): Promise<string> {
  return await eventually(async () => {
    const { status } = (await lab.get("/meshes/default/meshproxypatches/patch")) as Shown;
    assert.equal(status?.rollOut?.state, "Held");
    return JSON.stringify(status.rollOut);
  }, 10_000);
}

test("MeshProxyPatch: filters and clusters change on running proxies, and what is wrong changes nothing", async (t) => {
  const lab = await startLab(t);
  await lab.apply(meshService("backend"));
  const app = await application(t, "first");
  const other = await application(t, "second");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"] });
  const answer = () => ask(web.outbound("backend"));
  await eventually(async () => assert.equal((await answer()).body, "first"));

  await t.test("a Lua filter runs, for as long as there is the policy", async () => {
    await lab.apply(patch(LUA));
    await eventually(async () => assert.equal((await answer()).headers["x-patched"], "yes"));
    await lab.delete("MeshProxyPatch", "patch");
    await eventually(async () => assert.equal((await answer()).headers["x-patched"], undefined));
  });

  await t.test("a JSON patch is what Envoy has, and where it sends requests", async () => {
    const jsonPatches = [
      { op: "replace", path: "/connectTimeout", value: "77s" },
      {
        op: "replace",
        path: "/loadAssignment/endpoints/0/lbEndpoints/0/endpoint/address/socketAddress/portValue",
        value: other.port,
      },
    ];
    await lab.apply(patch({ cluster: { operation: "Patch", match: { name: `localhost:${app.port}` }, jsonPatches } }));
    await eventually(async () => assert.equal((await answer()).body, "second"));
    const dump = JSON.stringify(await lab.get("/meshes/default/dataplanes/backend-1/xds"));
    assert.match(dump, /"connect_timeout":"77s"/);
    await lab.delete("MeshProxyPatch", "patch");
    await eventually(async () => assert.equal((await answer()).body, "first"));
  });

  const traffic = steadyTraffic(t, web.outbound("backend"), 50);

  await t.test("what Envoy refuses is taken back, and the policy and its modification are named", async () => {
    const value = "lbPolicy: 99";
    await lab.apply(patch(LUA, { cluster: { operation: "Patch", match: { origin: "inbound" }, value } }));
    const told = await refusals(lab);
    assert.match(told, /self_inbound_dp_main/);
    assert.match(told, /kri_mpp_default_default__patch_modification-1/);
    await lab.settled();
    // Connections that were there before may still be drained.
    await eventually(async () => assert.equal((await answer()).headers["x-patched"], undefined));
  });

  await t.test("what cannot be made of a proxy's configuration is told, and the proxy keeps what it has", async () => {
    const jsonPatches = [{ op: "replace", path: "/outlierDetection/interval", value: "1s" }];
    const modification = { cluster: { operation: "Patch", match: { origin: "inbound" }, jsonPatches } };
    const spec = { default: { appendModifications: [modification] } };
    const impossible = { type: "MeshProxyPatch", mesh: "default", name: "planned", spec };
    await lab.apply(patch(modification));
    const told = await refusals(lab);
    assert.match(told, /appendModifications\[0\]\.cluster of MeshProxyPatch .*patch.* on .*self_inbound_dp_main/);
    assert.match(told, /there is nothing/);
    const planned = await fetch(`${lab.at.apiUrl}/plan`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ documents: [impossible] }),
    });
    assert.equal(planned.status, 409);
    assert.match(await planned.text(), /MeshProxyPatch .*planned.* on .*self_inbound_dp_main.*there is nothing/);
    assert.equal((await answer()).body, "first");
  });

  await t.test("what can be known when it is written is refused then", async () => {
    const response = await lab.put({
      type: "MeshProxyPatch",
      mesh: "default",
      name: "patch",
      ...WRONG,
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /appendModifications\[0\]\.cluster\.value\.conectTimeout.*connectTimeout/);
  });

  assert.deepEqual((await traffic.stop()).failures, []);
});
