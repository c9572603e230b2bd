import assert from "node:assert/strict";
import { test } from "node:test";
import { startFake } from "../testkit/fake-control-plane.ts";
import { runHere } from "../testkit/run-line.ts";
import { render } from "./version.ts";

test("version tells command, control plane and Envoy", async () => {
  await using fake = await startFake({});
  const { code, stdout } = await runHere(["version", "-o", "json"], { env: { HEDDLE_ADDRESS: fake.address } });
  const versions = JSON.parse(stdout) as { client: string; server: object; envoy: { supported: string[] } };
  assert.equal(code, 0);
  assert.match(versions.client, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(versions.server, { address: fake.address, product: "Heddle", version: "0.1.0" });
  assert.equal(versions.envoy.supported.at(-1), "1.40");
});

test("version does without a control plane", async () => {
  const { code, stdout } = await runHere(["version"], { env: { HEDDLE_ADDRESS: "http://127.0.0.1:1" } });
  assert.equal(code, 0);
  assert.match(stdout, /^control plane {2}.*127\.0\.0\.1:1 cannot be reached/m);
});

test("version --client asks nothing", async () => {
  assert.match((await runHere(["version", "--client"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("render() names the range of Envoy", () => {
  const server = { address: "http://cp", product: "Heddle", version: "0.1.0" };
  assert.equal(
    render({ client: "0.1.0", server, envoy: { local: "1.40.0", supported: ["1.36", "1.40"] } }),
    "heddle         0.1.0\ncontrol plane  Heddle 0.1.0 at http://cp\nenvoy          1.40.0, the control plane serves 1.36 to 1.40",
  );
});
