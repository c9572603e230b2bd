import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { stringify } from "yaml";
import { Processes } from "./processes.ts";
import { dataplaneOf, type Instance, PORTS_NEEDED, topology } from "./topology.ts";
import { type Visits, visit } from "./visitor.ts";

/** What the demo needs of the control plane it runs with. */
export interface DemoControlPlane {
  readonly apiUrl: string;
  readonly dpPort: number;
  readonly caPem: string;
  /** A dataplane token for a proxy of mesh default. */
  readonly tokenFor: (dataplane: string) => Promise<string>;
}

/** Runs the services with their sidecars and a visitor, tells what to try, and ends everything when the signal aborts. */
export async function runDemo(
  controlPlane: DemoControlPlane,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-demo-"));
  const processes = new Processes((name, code) => {
    print(
      styleText("yellow", `\n${name} ended${code === null ? "" : ` with code ${code}`}; the others go on without it`),
    );
  });
  try {
    const instances = topology(await freePorts(PORTS_NEEDED));
    for (const instance of instances) startService(processes, instance);
    const sidecars = await Promise.all(
      instances.map((instance) => startSidecar(processes, instance, controlPlane, folder)),
    );
    const url = `http://127.0.0.1:${instances[0]?.servicePort}`;
    print(`  page              ${url}`);
    await showTraffic(url, { print, signal, tour: () => tour(sidecars, url) });
  } finally {
    // Sidecars first, so that their last requests still find their applications.
    await processes.stop("sidecar ", 5_000);
    await processes.stop("", 2_000);
    await rm(folder, { recursive: true, force: true });
  }
}

function startService(processes: Processes, { name, app, servicePort, outbound }: Instance): void {
  processes.start(`service ${name}`, [join(import.meta.dirname, "services", `${app}.ts`)], {
    env: {
      SERVICE_NAME: name,
      SERVICE_PORT: String(servicePort),
      SERVICE_UPSTREAM: outbound === undefined ? "" : `http://127.0.0.1:${outbound.port}/`,
    },
  });
}

interface Sidecar {
  readonly name: string;
  readonly pid: number;
}

async function startSidecar(
  processes: Processes,
  instance: Instance,
  controlPlane: DemoControlPlane,
  folder: string,
): Promise<Sidecar> {
  const file = (kind: string): string => join(folder, `${instance.name}.${kind}`);
  await writeFile(file("yaml"), stringify(dataplaneOf(instance)));
  await writeFile(file("token"), await controlPlane.tokenFor(instance.name));
  await chmod(file("token"), 0o600);
  await writeFile(file("ca.pem"), controlPlane.caPem);
  const cli = join(import.meta.dirname, "../../cli/src/main.ts");
  const address = `https://localhost:${controlPlane.dpPort}`;
  const args = [
    "dp",
    "run",
    "--cp-address",
    address,
    "--ca-cert-file",
    file("ca.pem"),
    "--dataplane-file",
    file("yaml"),
  ];
  const child = processes.start(
    `sidecar ${instance.name}`,
    [cli, ...args, "--dataplane-token-file", file("token"), "--drain-time", "3s", "--concurrency", "1"],
    {
      env: {},
      show: () => undefined,
    },
  );
  return { name: instance.name, pid: child.pid ?? 0 };
}

async function showTraffic(
  url: string,
  { print, signal, tour: makeTour }: { print: (text: string) => void; signal: AbortSignal; tour: () => string },
): Promise<void> {
  const started = Date.now();
  let flowing = false;
  let shown = "";
  const onVisit = (visits: Visits): void => {
    if (!flowing && visits.recent.servedBy.size > 0) {
      flowing = true;
      print(
        `  first request     through four sidecars after ${((Date.now() - started) / 1_000).toFixed(1)} s\n${makeTour()}`,
      );
    }
    const line = flowing ? trafficLine(visits) : "";
    if (flowing && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (flowing && kindOfTraffic(visits) !== shown) print(line);
    shown = kindOfTraffic(visits);
  };
  await visit(url, { everyMillis: 250, signal, onVisit });
  if (process.stderr.isTTY) process.stderr.write("\n");
}

function trafficLine({ total, recent }: Visits): string {
  const answered = [...recent.servedBy]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`);
  const failed = recent.failed === 0 ? styleText("green", "0 failed") : styleText("red", `${recent.failed} failed`);
  return `  ${total} requests · of the last 100: ${[...answered, failed].join(" · ")}`;
}

function kindOfTraffic({ recent }: Visits): string {
  return `${[...recent.servedBy.keys()].toSorted().join()} ${recent.failed > 0}`;
}

function tour(sidecars: readonly Sidecar[], url: string): string {
  const second = sidecars.find(({ name }) => name === "api-v2");
  const resources = join(import.meta.dirname, "../resources").replace(`${process.cwd()}/`, "");
  const heddle = process.env["HEDDLE_COMMAND"] ?? "./bin/heddle";
  const step = (number: number, what: string, ...commands: string[]): string =>
    [`  ${number}. ${what}`, ...commands.map((command) => `       ${styleText("cyan", command)}`)].join("\n");
  return [
    "",
    styleText("bold", "Five things to try, in another terminal:"),
    step(
      1,
      "See it: four proxies, their certificates, and the page",
      `${heddle} inspect dataplanes`,
      `curl -s ${url} | grep visits`,
    ),
    step(
      2,
      "Take the permission away, see who is refused and why, give it back",
      `${heddle} delete meshtrafficpermission allow-all`,
      `${heddle} inspect access --from web-1 --to api-v1`,
      `${heddle} apply -f ${resources}/allow-all.yaml`,
    ),
    step(3, "Send nine of ten requests to version 1 of the API", `${heddle} apply -f ${resources}/split.yaml`),
    step(
      4,
      "Both versions again; then stop an instance while requests flow: none fails",
      `${heddle} delete meshhttproute api-split`,
      `kill ${second?.pid ?? ""}`,
    ),
    step(
      5,
      "Look into a proxy: which policy decided what",
      `${heddle} inspect dataplane web-1`,
      `${heddle} inspect rules web-1`,
    ),
    "",
    "  Ctrl-C stops everything.",
    "",
  ].join("\n");
}

async function freePorts(count: number): Promise<readonly number[]> {
  // All are held until the last one is found, so that none is found twice.
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  return server;
}
