/** Keys of connections are agreed on with ML-KEM, in its hybrid with X25519: between proxies, and with the control plane. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

/** What connections of a proxy agreed on, such as "cluster.system_ads.ssl.curves.X25519MLKEM768". */
async function agreed(lab: Lab, name: string): Promise<readonly string[]> {
  const response = await fetch(`${lab.at.apiUrl}/meshes/default/dataplanes/${name}/stats`);
  const text = await response.text();
  assert.ok(response.ok, text);
  return text
    .split("\n")
    .filter((line) => /\.ssl\.(curves|versions)\..*: [1-9]/.test(line))
    .map((line) => line.slice(0, line.indexOf(": ")))
    .toSorted();
}

test("connections between proxies, and to the control plane, agree on keys with ML-KEM over TLS 1.3", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls());
  await lab.apply(ALLOW_ALL);
  await lab.apply(meshService("backend"));
  const { port: servicePort } = await application(t, "backend");
  await lab.sidecar({ name: "backend", labels: { app: "backend" }, servicePort });
  const web = await lab.sidecar({ name: "web", labels: { app: "web" }, calls: ["backend"] });
  await lab.settled();
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  const [ofWeb, ofBackend] = [await agreed(lab, "web"), await agreed(lab, "backend")];
  const towards = (start: RegExp, found: readonly string[]): string[] =>
    found.filter((each) => start.test(each)).map((each) => each.slice(each.indexOf(".ssl.") + 5));
  const best = ["curves.X25519MLKEM768", "versions.TLSv1.3"];
  assert.deepEqual(towards(/^cluster\.system_ads\./, ofWeb), best, "with the control plane");
  assert.deepEqual(towards(/^cluster\.(?!system_)/, ofWeb), best, "as a client");
  assert.deepEqual(towards(/^listener\.(?!.*(admin|_inspect))/, ofBackend).slice(-2), best, "as a server");
  for (const each of [...ofWeb, ...ofBackend]) assert.match(each, /curves\.X25519MLKEM768$|versions\.TLSv1\.3$/);
});
