import assert from "node:assert/strict";
import { test } from "node:test";
import { describeConfig, ignoredSettings, loadConfig, settings } from "./load-config.ts";

const FILE = "apiServer:\n  http:\n    port: 1111\nstore:\n  type: memory\n";

function load(sources: Partial<Parameters<typeof loadConfig>[0]>) {
  const config = loadConfig({ env: {}, flags: {}, ...sources });
  assert.ok(config.ok, JSON.stringify(config));
  return config.value;
}

test("loadConfig() puts flags over HEDDLE_ over KUMA_ over the file over the defaults", () => {
  assert.equal(load({}).apiHttpPort, 5681);
  assert.equal(load({ file: FILE }).apiHttpPort, 1111);
  const kuma = { KUMA_API_SERVER_HTTP_PORT: "2222" };
  assert.equal(load({ file: FILE, env: kuma }).apiHttpPort, 2222);
  const both = { ...kuma, HEDDLE_API_SERVER_HTTP_PORT: "3333" };
  assert.equal(load({ file: FILE, env: both }).apiHttpPort, 3333);
  assert.equal(load({ file: FILE, env: both, flags: { "api-http-port": "4444" } }).apiHttpPort, 4444);
  assert.equal(load({ file: FILE, env: both, flags: { apiHttpPort: 0 } }).apiHttpPort, 0);
});

test("loadConfig() names every mistake by the place where it was made", () => {
  const file = "store: { type: oracle }\n";
  const config = loadConfig({ file, env: { KUMA_DP_SERVER_PORT: "many" }, flags: { mode: "galaxy" } });
  assert.deepEqual(!config.ok && config.violations.map(({ field }) => field).toSorted(), [
    "--mode",
    "KUMA_DP_SERVER_PORT",
    "store.type",
  ]);
});

test("loadConfig() says what is wrong with a file that is no YAML", () => {
  const config = loadConfig({ file: "a: [", env: {}, flags: {} });
  assert.ok(!config.ok && config.violations[0]?.field === "configuration file");
});

test("ignoredSettings() names settings that mean nothing here, with the near one", () => {
  assert.deepEqual(
    ignoredSettings("apiServer:\n  http:\n    prot: 1\n  auth: x\n").map(({ field }) => field),
    ["apiServer.http.prot", "apiServer.auth"],
  );
  assert.match(ignoredSettings("apiServer: { http: { prot: 1 } }")[0]?.message ?? "", /did you mean "port"/);
});

test("describeConfig() shows every setting under its path", () => {
  const shown = describeConfig(load({}));
  for (const { path } of settings) {
    const value = path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], shown);
    assert.notEqual(value, undefined, path);
  }
});

test("settings have names that are theirs alone", () => {
  const names = settings.flatMap(({ path, flag, env }) => [path, ...(flag === undefined ? [] : [flag]), ...env]);
  assert.equal(new Set(names).size, names.length);
});

const unreadable = [
  ["an alias of nothing", "*a"],
  [
    "aliases that unfold without end",
    "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
  ],
  ["mappings in mappings by the thousand", `a: ${"{a: ".repeat(5_000)}`],
] as const;

for (const [what, file] of unreadable) {
  test(`loadConfig() says that a file with ${what} cannot be read`, () => {
    const config = loadConfig({ file, env: {}, flags: {} });
    assert.deepEqual(config.ok ? [] : config.violations.map(({ field }) => field), ["configuration file"]);
  });
}
