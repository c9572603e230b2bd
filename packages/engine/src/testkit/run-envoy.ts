import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import type { Compiled } from "../compile.ts";
import { type Json, staticResources } from "./static-resources.ts";

/** What a proxy gets beside what is compiled. */
export interface Surroundings {
  /** Ports on loopback behind each cluster; a cluster without one has no endpoints. */
  readonly endpoints: Readonly<Record<string, number | readonly number[]>>;
  /** Whole load assignments in place of these ports, by cluster. */
  readonly assignments?: Readonly<Record<string, Json>>;
  /** Its certificate and whom it trusts, all PEM; for a proxy with mutual TLS. */
  readonly secrets?: { readonly certificatePem: string; readonly keyPem: string; readonly authoritiesPem: string };
  /** Whether Envoy's own HTTP interface is there, with its statistics: as listener "admin". */
  readonly admin?: boolean;
}

/** Runs a real Envoy with what was compiled until the test ends. Gives the port on loopback of each listener, by name. */
export async function runEnvoy(
  t: TestContext,
  compiled: Compiled,
  surroundings: Surroundings,
): Promise<ReadonlyMap<string, number>> {
  const { path } = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "heddle-envoy-"));
  t.after(() => rm(folder, { recursive: true }));
  const { listeners, clusters } = staticResources(compiled, (name) => name);
  const ports = new Map(
    await Promise.all(listeners.map(async ({ name }) => [String(name), await freePort()] as const)),
  );
  if (surroundings.admin === true) ports.set("admin", await freePort());
  const bootstrap = {
    ...(surroundings.admin === true ? { admin: addressOf("admin", ports) } : {}),
    staticResources: {
      listeners: listeners.map((listener) => withStaticSecrets(onPort(listener, ports))),
      clusters: clusters.map((cluster) => withStaticSecrets(withEndpoint(cluster, surroundings))),
      secrets: secretsOf(compiled, surroundings),
    },
  };
  const file = join(folder, "bootstrap.json");
  await writeFile(file, JSON.stringify(bootstrap));
  const options = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"];
  const envoy = spawn(path, ["-c", file, ...options], { stdio: ["ignore", "ignore", "inherit"] });
  t.after(() => envoy.kill("SIGKILL"));
  await Promise.all([...ports.values()].map((port) => accepts(port)));
  return ports;
}

function onPort(listener: Json, ports: ReadonlyMap<string, number>): Json {
  return { ...listener, ...addressOf(String(listener["name"]), ports) };
}

function addressOf(name: string, ports: ReadonlyMap<string, number>): Json {
  return { address: { socketAddress: { address: "127.0.0.1", portValue: ports.get(name) } } };
}

function withEndpoint({ edsClusterConfig: _eds, ...cluster }: Json, { endpoints, assignments }: Surroundings): Json {
  const clusterName = String(cluster["name"]);
  // What Envoy itself talks to is where the policy says.
  if (clusterName.startsWith("system_") && endpoints[clusterName] === undefined) return cluster;
  const whole = assignments?.[clusterName];
  if (whole !== undefined) return { ...cluster, type: "STATIC", loadAssignment: whole };
  const lbEndpoints = [endpoints[clusterName] ?? []].flat().map((portValue) => ({
    endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue } } },
  }));
  return { ...cluster, type: "STATIC", loadAssignment: { clusterName, endpoints: [{ lbEndpoints }] } };
}

/** A secret without a place to fetch it from is one of the bootstrap's own. */
function withStaticSecrets<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => (key === "sdsConfig" ? undefined : inner)) as Value;
}

function secretsOf({ identity, serverTrust }: Compiled, { secrets }: Surroundings): readonly Json[] {
  if (identity === undefined || secrets === undefined) return [];
  const { certificatePem, keyPem, authoritiesPem } = secrets;
  const certificate = { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } };
  const validationContext = { trustedCa: { inlineString: authoritiesPem } };
  const trusts = new Set([identity.tls.trustSecret, ...serverTrust.keys()]);
  return [
    { name: identity.tls.identitySecret, tlsCertificate: certificate },
    ...[...trusts].map((name) => ({ name, validationContext })),
  ];
}

async function accepts(port: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    if (await connects(port)) return;
    await sleep(20);
  }
  throw new Error(`Cannot reach Envoy: nothing listens on port ${port} after 20 seconds`);
}

function connects(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "127.0.0.1" }, () => resolve(true)).on("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}
