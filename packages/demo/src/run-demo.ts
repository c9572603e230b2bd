import { chmod, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { stringify } from "yaml";
import { openDemoFolder } from "./demo-folder.ts";
import { Processes } from "./processes.ts";
import { dataplaneOf, type Instance, PORTS_NEEDED, topology } from "./topology.ts";
import { noAnswer, type Sidecar, tour } from "./tour.ts";
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
  const folder = await openDemoFolder(tmpdir());
  const broken = new AbortController();
  let flowing = false;
  const processes = new Processes((name, code, lastWords) => {
    const what = `${name} ended${code === null ? "" : ` with code ${code}`}`;
    // Before the first request it is the set-up that is wrong; after it, most likely somebody tries what happens.
    if (!flowing) broken.abort(new Error(`Cannot start the demo: ${what}, and said\n${lastWords}`));
    else print(styleText("yellow", `\n${what}; the others go on without it`));
  });
  try {
    const instances = topology(await freePorts(PORTS_NEEDED));
    for (const instance of instances) startService(processes, instance);
    const sidecars = await Promise.all(
      instances.map((instance) => startSidecar(processes, instance, controlPlane, folder)),
    );
    const url = `http://127.0.0.1:${instances[0]?.servicePort}`;
    print(`  page              ${url}`);
    const onFlowing = (): void => {
      flowing = true;
      print(tour(sidecars, url, controlPlane.apiUrl));
    };
    await showTraffic(url, { print, signal: AbortSignal.any([signal, broken.signal]), onFlowing });
    if (!signal.aborted) broken.signal.throwIfAborted();
  } finally {
    // Sidecars first, so that their last requests still find their applications.
    await processes.stop("sidecar ", 5_000);
    await processes.stop("", 2_000);
    await rm(folder, { recursive: true, force: true });
  }
}

function startService(processes: Processes, { name, app, servicePort, outbound }: Instance): void {
  processes.start(`service ${name}`, [join(import.meta.dirname, "services", `${app}.ts`)], {
    SERVICE_NAME: name,
    SERVICE_PORT: String(servicePort),
    SERVICE_UPSTREAM: outbound === undefined ? "" : `http://127.0.0.1:${outbound.port}/`,
  });
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
  const flags = {
    "cp-address": `https://localhost:${controlPlane.dpPort}`,
    "ca-cert-file": file("ca.pem"),
    "dataplane-file": file("yaml"),
    "dataplane-token-file": file("token"),
    "drain-time": "3s",
    concurrency: "1",
  };
  const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = processes.start(`sidecar ${instance.name}`, [cli, "dp", "run", ...words]);
  return { name: instance.name, pid: child.pid ?? 0 };
}

/** Patience before somebody who sees nothing is told where to look. Milliseconds. */
const SILENCE = 20_000;

interface Show {
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
  /** Called once, with the first request that came through. */
  readonly onFlowing: () => void;
}

async function showTraffic(url: string, { print, signal, onFlowing }: Show): Promise<void> {
  const started = Date.now();
  const silence = setTimeout(() => print(noAnswer()), SILENCE);
  let flowing = false;
  let shown = "";
  const onVisit = (visits: Visits): void => {
    if (!flowing) {
      flowing = true;
      clearTimeout(silence);
      print(`  first request     through four sidecars after ${((Date.now() - started) / 1_000).toFixed(1)} s`);
      onFlowing();
    }
    const line = trafficLine(visits);
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (kindOfTraffic(visits) !== shown) print(line);
    shown = kindOfTraffic(visits);
  };
  await visit(url, { everyMillis: 250, signal, onVisit });
  clearTimeout(silence);
  if (flowing && process.stderr.isTTY) process.stderr.write("\n");
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
