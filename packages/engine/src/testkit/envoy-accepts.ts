import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import type { Compiled } from "../compile.ts";
import { type Json, staticResources } from "./static-resources.ts";

/** What was compiled in one case. */
export interface NamedCompiled {
  readonly name: string;
  readonly compiled: Compiled;
}

/** Fails with Envoy's words unless a real Envoy takes everything that was compiled. One run for all. */
export async function assertEnvoyAccepts(all: readonly NamedCompiled[]): Promise<void> {
  assert.equal(await whyEnvoyRefuses(all), undefined);
}

/** What a real Envoy has against what was compiled; nothing when it takes everything. One run for all. */
export async function whyEnvoyRefuses(all: readonly NamedCompiled[]): Promise<string | undefined> {
  const { path } = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "heddle-accepts-"));
  try {
    const file = join(folder, "bootstrap.json");
    await writeFile(file, JSON.stringify(bootstrapOf(all)));
    const run = promisify(execFile)(path, ["--mode", "validate", "-c", file, "-l", "warning"], { timeout: 30_000 });
    const output = await run.then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { stderr?: string; message: string }) => error.stderr ?? error.message,
    );
    return /OK\s*$/.test(output) ? undefined : output;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Everything in one bootstrap. Cases repeat names and ports, so names get their case in front and ports are counted. */
function bootstrapOf(all: readonly NamedCompiled[]): Json {
  const cases = all.map(({ name, compiled }) => staticResources(compiled, (own) => `${name} ${own}`));
  const listeners = cases
    .flatMap((each) => each.listeners)
    .map((listener, index) => ({
      ...listener,
      address: { socketAddress: { address: "127.0.0.1", portValue: 10_000 + index } },
    }));
  return {
    node: { id: "heddle-test", cluster: "heddle-test" },
    // Endpoints and secrets come by discovery; validation only checks that there is somebody to ask.
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        grpcServices: [{ envoyGrpc: { clusterName: "ads" } }],
      },
    },
    // As in the bootstrap of every sidecar: how large a pattern may be is looked at when it is written.
    layeredRuntime: {
      layers: [{ name: "heddle", staticLayer: { "re2.max_program_size.error_level": 4_294_967_295 } }],
    },
    staticResources: { listeners, clusters: [ADS_CLUSTER, ...cases.flatMap((each) => each.clusters)] },
  };
}

const ADS_CLUSTER = {
  name: "ads",
  type: "STATIC",
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
};
