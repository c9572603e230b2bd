import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flags, resolveOptions } from "./resolve-options.ts";
import { DATAPLANE_SETTINGS, type SettingName } from "./settings.ts";

test("resolveOptions() gives kuma-dp's defaults when nothing is set", () => {
  const options = resolved({});
  assert.equal(options.cpAddress, "https://localhost:5678");
  assert.equal(options.drainTime, 30_000);
  assert.equal(options.retryBackoff, 3_000);
  assert.equal(options.retryMaxDuration, 300_000);
  assert.equal(options.concurrency, 2);
  assert.equal(options.skipVerify, false);
  assert.deepEqual(options.dataplaneVar, {});
});

test("resolveOptions() lets flags win over HEDDLE_, and that over KUMA_", () => {
  const env = { HEDDLE_CONTROL_PLANE_URL: "https://heddle", KUMA_CONTROL_PLANE_URL: "https://kuma" };
  assert.equal(resolved({ cpAddress: "https://flag" }, env).cpAddress, "https://flag");
  assert.equal(resolved({}, env).cpAddress, "https://heddle");
  assert.equal(resolved({}, { KUMA_CONTROL_PLANE_URL: "https://kuma" }).cpAddress, "https://kuma");
  assert.equal(resolved({}, { ...env, HEDDLE_CONTROL_PLANE_URL: "" }).cpAddress, "https://kuma");
});

test("resolveOptions() reads pairs from repeated flags and from one variable", () => {
  assert.deepEqual(resolved({ dataplaneVar: ["name=a", "note=x=y,z"] }).dataplaneVar, { name: "a", note: "x=y,z" });
  const env = { KUMA_DATAPLANE_RUNTIME_DYNAMIC_METADATA: "HOST_IP:10.0.0.1,zone=a" };
  assert.deepEqual(resolved({}, env).dynamicMetadata, { HOST_IP: "10.0.0.1", zone: "a" });
});

test("resolveOptions() reads switches", () => {
  assert.equal(resolved({ skipVerify: true }).skipVerify, true);
  assert.equal(resolved({}, { KUMA_CONTROL_PLANE_TLS_SKIP_VERIFY: "true" }).skipVerify, true);
  assert.equal(resolved({}, { KUMA_DATAPLANE_RUNTIME_IPV6_ENABLED: "false" }).ipv6Enabled, false);
});

const mistakes = [
  [{ concurrency: "two" }, {}, "--concurrency"],
  [{ concurrency: "-1" }, {}, "--concurrency"],
  [{ adminPort: "0" }, {}, "--admin-port"],
  [{ drainTime: "30" }, {}, "--drain-time"],
  [{ logFormat: "xml" }, {}, "--log-format"],
  [{ dataplaneVar: ["name"] }, {}, "--dataplane-var"],
  [{}, { KUMA_CONTROL_PLANE_TLS_SKIP_VERIFY: "perhaps" }, "KUMA_CONTROL_PLANE_TLS_SKIP_VERIFY"],
  [{}, { HEDDLE_DATAPLANE_DRAIN_TIME: "soon" }, "HEDDLE_DATAPLANE_DRAIN_TIME"],
] as const satisfies readonly (readonly [Flags, NodeJS.ProcessEnv, string])[];

for (const [flags, env, field] of mistakes) {
  test(`resolveOptions() names ${field} for ${JSON.stringify({ ...flags, ...env })}`, () => {
    const parsed = resolveOptions(flags, env);
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.violations.map((each) => each.field),
      [field],
    );
  });
}

test("DATAPLANE_SETTINGS names each setting after its flag in camel case, so that command line parsers find it", () => {
  const names = Object.keys(DATAPLANE_SETTINGS) as SettingName[];
  const flags = names.flatMap((name) => {
    const setting: { readonly flag?: string } = DATAPLANE_SETTINGS[name];
    return setting.flag === undefined ? [] : [[name, setting.flag] as const];
  });
  for (const [name, flag] of flags) {
    assert.equal(flag, `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  }
});

function resolved(flags: Flags, env: NodeJS.ProcessEnv = {}) {
  const parsed = resolveOptions(flags, env);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}
