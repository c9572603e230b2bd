import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { GOOD } from "../testkit/certificates.ts";
import { startDp } from "../testkit/dp-process.ts";
import { testBootstrap } from "../testkit/test-bootstrap.ts";
import { startTestControlPlane } from "../testkit/test-control-plane.ts";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
/** Looks like a token of this proxy; nobody here checks the signature. */
const TOKEN = `${encode({ alg: "RS256", kid: "1" })}.${encode({ Name: "x", Mesh: "default", exp: 4e9 })}.c2lnbmVk`;

for (const supervisor of ["shell", "node"]) {
  test(`a token in the launcher's environment is not in that of Envoy, nor of its supervisor: ${supervisor}`, async () => {
    await using cp = await startTestControlPlane(({ body }) => {
      assert.equal(body["dataplaneToken"], TOKEN);
      return testBootstrap(body["workdir"]);
    });
    const env = {
      HEDDLE_CONTROL_PLANE_CA_CERT: GOOD.certificate,
      HEDDLE_DATAPLANE_SUPERVISOR: supervisor,
      KUMA_DATAPLANE_RUNTIME_TOKEN: TOKEN,
      HEDDLE_TEST_MARK: "inherited",
    };
    await using dp = startDp({ name: "x", cpAddress: cp.url }, env);
    await dp.line(/Ready/);
    const envoy = await readFile(`/proc/${await dp.envoyPid()}/environ`, "utf8");
    assert.match(envoy, /HEDDLE_TEST_MARK=inherited/);
    assert.doesNotMatch(envoy, /c2lnbmVk/);
    // The Node supervisor is the launcher itself, whose environment was given by whoever started it.
    if (supervisor === "shell") assert.doesNotMatch(await readFile(`/proc/${dp.pid}/environ`, "utf8"), /c2lnbmVk/);
  });
}
