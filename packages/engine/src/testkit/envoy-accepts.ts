import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import type { Compiled } from "../compile.ts";
import { decoded } from "./decode.ts";

/** What was compiled in one case. */
export interface NamedCompiled {
  readonly name: string;
  readonly compiled: Compiled;
}

/** Fails with Envoy's words unless a real Envoy takes everything that was compiled. One run for all. */
export async function assertEnvoyAccepts(all: readonly NamedCompiled[]): Promise<void> {
  const { path } = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "heddle-accepts-"));
  try {
    const file = join(folder, "bootstrap.json");
    await writeFile(file, JSON.stringify(staticBootstrap(all)));
    const run = promisify(execFile)(path, ["--mode", "validate", "-c", file, "-l", "warning"], { timeout: 30_000 });
    const output = await run.then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { stderr?: string; message: string }) => error.stderr ?? error.message,
    );
    assert.match(output, /OK\s*$/);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Everything in one bootstrap. Names get their case in front and listeners a port of their own, because cases repeat
 * both; routes move into their listener, because Envoy only checks what is not fetched later.
 */
export function staticBootstrap(all: readonly NamedCompiled[]): Json {
  const cases = all.map(({ name, compiled }) => caseResources(name, compiled));
  const listeners = cases.flatMap((each) => each.listeners);
  listeners.forEach((listener, index) => {
    listener["address"] = { socketAddress: { address: "127.0.0.1", portValue: 10_000 + index } };
  });
  return {
    node: { id: "heddle-test", cluster: "heddle-test" },
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        grpcServices: [{ envoyGrpc: { clusterName: "ads" } }],
      },
    },
    staticResources: { listeners, clusters: [ADS_CLUSTER, ...cases.flatMap((each) => each.clusters)] },
  };
}

type Json = Record<string, unknown>;

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

function caseResources(name: string, { resources }: Compiled): { listeners: Json[]; clusters: Json[] } {
  const of = (type: string): Json[] =>
    [...resources].flatMap(([url, byName]) => (url.endsWith(`.${type}`) ? [...byName.values()].map(decoded) : []));
  const routes = new Map(of("RouteConfiguration").map((each) => [each["name"], withoutType(each)]));
  const names = new Set([...of("Cluster"), ...of("Listener")].map((each) => each["name"]));
  const own = (value: unknown): unknown => {
    if (typeof value === "string") return names.has(value) ? `${name} ${value}` : value;
    if (Array.isArray(value)) return value.map(own);
    if (typeof value !== "object" || value === null) return value;
    const { rds, ...rest } = value as { rds?: { routeConfigName: string } } & Json;
    const inline = rds === undefined ? {} : { routeConfig: routes.get(rds.routeConfigName) };
    return Object.fromEntries(Object.entries({ ...rest, ...inline }).map(([key, inner]) => [key, own(inner)]));
  };
  return {
    listeners: of("Listener").map((each) => own(withoutType(each)) as Json),
    clusters: of("Cluster").map((each) => own(withoutType(each)) as Json),
  };
}

function withoutType({ "@type": _type, ...fields }: Json): Json {
  return fields;
}
