import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";

export interface RealEnvoyOptions {
  readonly nodeId: string;
  readonly adsPort: number;
  /** PEM that the server's certificate is checked against. */
  readonly ca: string;
  /** Asks the same server what to check, and reports to it. */
  readonly healthDiscovery?: boolean;
}

/** A real Envoy that takes everything from a delta ADS server on loopback. Disposing stops it. */
export interface RealEnvoy extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it wrote to its log so far. */
  readonly log: readonly string[];
  /** A counter or gauge, such as "cluster_manager.warming_clusters"; 0 when there is none of this name. */
  stat(name: string): Promise<number>;
  /** GET of its admin interface. */
  admin(path: string): Promise<string>;
}

/** Starts Envoy with a bootstrap that knows one thing: where to ask. Resolves when its admin interface answers. */
export async function startEnvoy(options: RealEnvoyOptions): Promise<RealEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-xds-"));
  const portFile = join(folder, "admin");
  await writeFile(join(folder, "bootstrap.json"), JSON.stringify(bootstrap(options)));
  const log: string[] = [];
  const flags = ["--config-path", join(folder, "bootstrap.json"), "--admin-address-path", portFile];
  const binary = await findEnvoy();
  const child = spawn(binary.path, [...flags, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const port = await adminPort(portFile, child, log);
  const admin = (path: string) => fetchText(port, path);
  return {
    process: child,
    log,
    admin,
    stat: async (name) => {
      const text = await admin(`/stats?filter=^${encodeURIComponent(name.replaceAll(".", "\\."))}$`);
      return Number(text.split(": ")[1] ?? 0);
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function bootstrap({ nodeId, adsPort, ca, healthDiscovery }: RealEnvoyOptions): object {
  const address = { socket_address: { address: "127.0.0.1", port_value: adsPort } };
  const validation = { trusted_ca: { inline_string: ca } };
  const ads = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
  const service = { transport_api_version: "V3", grpc_services: [{ envoy_grpc: { cluster_name: "ads" } }] };
  return {
    node: { id: nodeId, cluster: "test" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ads_config: { ...service, api_type: "DELTA_GRPC" },
      cds_config: ads,
      lds_config: ads,
    },
    ...(healthDiscovery ? { hds_config: { ...service, api_type: "GRPC" } } : {}),
    static_resources: {
      clusters: [
        {
          name: "ads",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "ads", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          transport_socket: {
            name: "envoy.transport_sockets.tls",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
              sni: "localhost",
              common_tls_context: { validation_context: validation },
            },
          },
        },
      ],
    },
  };
}

async function adminPort(file: string, child: ChildProcess, log: readonly string[]): Promise<number> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (/:\d+$/.test(text)) return Number(text.split(":").at(-1));
    await sleep(50);
  }
  child.kill("SIGKILL");
  throw new Error(
    `Cannot start Envoy: its admin interface does not answer; its log says ${log.join("").slice(-2_000)}`,
  );
}

async function fetchText(port: number, path: string): Promise<string> {
  const [response] = (await once(get({ host: "127.0.0.1", port, path, agent: false }), "response")) as [
    NodeJS.ReadableStream,
  ];
  const chunks: string[] = [];
  for await (const chunk of response) chunks.push(String(chunk));
  return chunks.join("");
}
