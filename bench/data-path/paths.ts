import { ControlPlaneProcess } from "../../test/support/control-plane-process.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freePorts } from "../../test/support/free-ports.ts";
import { processesWith } from "../../test/support/kill-sidecar.ts";
import { ALLOW_ALL, Mesh, meshService, mtls } from "../../test/support/lab.ts";
import type { Cleanup } from "../support/cleanup.ts";
import { startEnvoy } from "./envoy.ts";
import { applicationConfig, type Between, clientConfig, identities, serverConfig } from "./minimal.ts";

/** A way to the application, and the processes of its sidecars now: those of the server's side, those of the client's. */
export interface Path {
  readonly name: string;
  readonly url: string;
  sidecars(): Promise<readonly (readonly number[])[]>;
}

/** The application, reached without anything between. */
export async function direct(
  cleanup: Cleanup,
  folder: string,
  bytes: number,
): Promise<Path & { readonly port: number }> {
  const [port = 0] = await freePorts(1);
  await startEnvoy(cleanup, folder, { name: "application", port, config: applicationConfig(port, bytes) });
  return { name: "direct", url: `http://127.0.0.1:${port}/`, port, sidecars: async () => [] };
}

/** Two Envoys with the least configuration for mutual TLS between them. */
export async function minimalPair(
  cleanup: Cleanup,
  folder: string,
  { between, applicationPort }: { readonly between: Between; readonly applicationPort: number },
): Promise<Path> {
  const [clientPort = 0, serverPort = 0] = await freePorts(2);
  const [client, server] = await identities("bench", ["client", "server"]);
  const start = (name: string, port: number, config: object): Promise<number> =>
    startEnvoy(cleanup, folder, { name: `${name}-${between}`, port, config });
  const pids = [
    await start("server", serverPort, serverConfig(serverPort, applicationPort, server)),
    await start("client", clientPort, clientConfig(clientPort, { port: serverPort, between }, client)),
  ];
  return {
    name: `minimal pair, ${between === "http2" ? "HTTP/2" : "HTTP/1.1"} between`,
    url: `http://127.0.0.1:${clientPort}/`,
    sidecars: async () => pids.map((pid) => [pid]),
  };
}

/** Two sidecars of Heddle: the ports they listen on, and the folders in which their admin sockets are. */
export interface HeddlePair extends Path {
  readonly clientPort: number;
  readonly serverPort: number;
  readonly workDirs: readonly string[];
}

/** What a pair of Heddle's has beside mutual TLS and a permission: documents in YAML. */
export interface Beside {
  readonly name: string;
  readonly policies: readonly string[];
}

/** Two sidecars of `heddle dp run` with a control plane of their own, mutual TLS and a permission. */
export async function heddlePair(
  cleanup: Cleanup,
  folder: string,
  { applicationPort, beside }: { readonly applicationPort: number; readonly beside?: Beside },
): Promise<HeddlePair> {
  const controlPlane = new ControlPlaneProcess(folder, await freePorts(3));
  cleanup.after(() => controlPlane.kill());
  await controlPlane.start();
  const { apiUrl, dpPort } = controlPlane;
  const mesh = new Mesh(cleanup, { apiUrl, dpPort, caPem: await controlPlane.caPem() }, folder);
  await mesh.apply([mtls(), ALLOW_ALL, meshService("server"), ...(beside?.policies ?? [])].join("---\n"));
  const server = await mesh.sidecar({ name: "server-1", labels: { app: "server" }, servicePort: applicationPort });
  const client = await mesh.sidecar({ name: "client-1", labels: { app: "client" }, calls: ["server"] });
  const url = `${client.outbound("server")}/`;
  await eventually(async () => {
    if (!(await fetch(url)).ok) throw new Error("Cannot reach the application through the sidecars");
  });
  const workDirs = await Promise.all(["server-1", "client-1"].map((name) => workDirOf(mesh, name)));
  return {
    name: beside?.name ?? "Heddle's pair",
    url,
    // Envoy and whatever watches it: every process that names the work folder.
    sidecars: () => Promise.all(workDirs.map(async (dir) => (await processesWith(dir)).map(({ pid }) => pid))),
    clientPort: Number(new URL(url).port),
    serverPort: server.inboundPort,
    workDirs,
  };
}

async function workDirOf(mesh: Mesh, dataplane: string): Promise<string> {
  const overview = (await mesh.get(`/meshes/default/dataplanes/${dataplane}/_overview`)) as {
    readonly dataplaneInsight?: { readonly metadata?: { readonly workdir?: string } };
  };
  const folder = overview.dataplaneInsight?.metadata?.workdir;
  if (folder === undefined) throw new Error(`Cannot weigh the sidecar "${dataplane}": its work folder is not known`);
  return folder;
}
