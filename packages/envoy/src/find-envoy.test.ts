import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FETCHED_ENVOY } from "./envoy-search.mjs";
import { findEnvoy } from "./find-envoy.ts";

const folder = await mkdtemp(join(tmpdir(), "find-envoy-"));
after(() => rm(folder, { recursive: true }));

/** A program that answers --version as Envoy does; the search asks nothing else of it. */
async function envoyOf(version: string): Promise<{ readonly bin: string; readonly path: string }> {
  const bin = join(folder, version);
  const path = join(bin, "envoy");
  await mkdir(bin);
  await writeFile(path, `#!/bin/sh\necho "$0  version: 9e558/${version}/Clean/RELEASE/BoringSSL"\n`);
  await chmod(path, 0o755);
  return { bin, path };
}

const old = await envoyOf("1.22.0");
const supported = await envoyOf("1.38.2");
const future = await envoyOf("1.99.0-dev");

test("findEnvoy() takes the first supported one on PATH and passes over others", async () => {
  const env = { PATH: `${old.bin}::/nowhere:${future.bin}:${supported.bin}` };
  assert.deepEqual(await findEnvoy(env), {
    path: supported.path,
    version: "1.38.2",
    build: "9e558/1.38.2/Clean/RELEASE/BoringSSL",
    supported: true,
  });
});

test("findEnvoy() takes what HEDDLE_ENVOY names before PATH, supported or not", async () => {
  const env = { HEDDLE_ENVOY: future.path, PATH: supported.bin };
  assert.deepEqual(await findEnvoy(env), {
    path: future.path,
    version: "1.99.0-dev",
    build: "9e558/1.99.0-dev/Clean/RELEASE/BoringSSL",
    supported: false,
  });
});

test("findEnvoy() refuses a HEDDLE_ENVOY that is no Envoy, though there is one on PATH", async () => {
  const env = { HEDDLE_ENVOY: "/bin/true", PATH: supported.bin };
  await assert.rejects(findEnvoy(env), /^Error: Cannot use the Envoy "\/bin\/true" that HEDDLE_ENVOY names/);
});

test("findEnvoy() falls back to the fetched one, a real Envoy, or says how to get one", async () => {
  const found = await findEnvoy({ PATH: old.bin }).catch((error: Error) => error.message);
  if (typeof found === "string") assert.match(found, /npm run setup/);
  else assert.deepEqual(found, { path: FETCHED_ENVOY, version: found.version, build: found.build, supported: true });
});
