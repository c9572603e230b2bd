/**
 * What each thing costs that Heddle's sidecars do and a minimal pair does not, in instructions a request. Heddle's own
 * configuration is read from two of its sidecars, written into files, and measured whole and with one thing after the
 * other taken away. Wants valgrind, and some five minutes. Run: `node bench/data-path-parts.ts`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../test/support/free-ports.ts";
import { configDump, frozen } from "./data-path/frozen.ts";
import { hasValgrind, instructionsPerRequest, type PairConfig, type Side } from "./data-path/instructions.ts";
import { type JsonObject, object, rewrite } from "./data-path/json.ts";
import { clientConfig, identities, serverConfig } from "./data-path/minimal.ts";
import { type Part, PARTS } from "./data-path/parts.ts";
import { direct, heddlePair } from "./data-path/paths.ts";
import { Cleanup } from "./support/cleanup.ts";
import { printTable, type Row } from "./support/report.ts";

const BODY_BYTES = 1_024;
const SIDES: readonly Side[] = ["client", "server"];

interface Count {
  readonly name: string;
  readonly side: Side;
  readonly make: (ports: Ports) => PairConfig;
}

interface Ports {
  readonly clientPort: number;
  readonly serverPort: number;
}

if (!(await hasValgrind())) {
  console.error("Cannot count instructions: valgrind is not on PATH; install it and run this again");
  process.exit(1);
}
await using cleanup = new Cleanup();
const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
cleanup.after(() => rm(folder, { recursive: true, force: true }));
const application = await direct(cleanup, folder, BODY_BYTES);
const heddle = await heddleConfigs();
const [client, server] = await identities("bench", ["client", "server"]);
const counts: readonly Count[] = [
  ...SIDES.map((side): Count => ({ name: "minimal", side, make: minimal })),
  ...SIDES.map((side): Count => ({ name: "heddle", side, make: (ports) => moved(heddle, ports) })),
  ...PARTS.flatMap((part) => part.sides.map((side): Count => ({ name: part.name, side, make: lacking(part, side) }))),
];
const results = await inPairs(counts);
printTable("instructions a request, outside the kernel (valgrind; client's side + server's side)", rows());

/** Heddle's two configurations, as its sidecars ran with them. */
async function heddleConfigs(): Promise<PairConfig> {
  await using own = new Cleanup();
  const pair = await heddlePair(own, folder, { applicationPort: application.port });
  const [ofClient, ofServer] = await identities("default", ["client-1", "server-1"]);
  const [server = {}, client = {}] = await Promise.all(
    pair.workDirs.map((dir) => configDump(join(dir, "kuma-envoy-admin.sock"))),
  );
  const { clientPort, serverPort } = pair;
  return { client: frozen(client, ofClient), server: frozen(server, ofServer), clientPort, serverPort };
}

function minimal({ clientPort, serverPort }: Ports): PairConfig {
  return {
    client: clientConfig(clientPort, { port: serverPort, between: "http2" }, client),
    server: serverConfig(serverPort, application.port, server),
    clientPort,
    serverPort,
  };
}

/** The same at other ports, with another admin socket: several run at once. */
function moved(pair: PairConfig, ports: Ports): PairConfig {
  const to = new Map([
    [pair.clientPort, ports.clientPort],
    [pair.serverPort, ports.serverPort],
  ]);
  const move = (config: object, side: Side): object =>
    rewrite(config as JsonObject, (each) => {
      const port = to.get(Number(each["port_value"]));
      const pipe = each["pipe"] === undefined ? {} : { pipe: { path: join(folder, `${ports.clientPort}-${side}`) } };
      return { ...each, ...(port === undefined ? {} : { port_value: port }), ...pipe };
    }) as object;
  return { client: move(pair.client, "client"), server: move(pair.server, "server"), ...ports };
}

function lacking(part: Part, side: Side): (ports: Ports) => PairConfig {
  return (ports) => {
    const pair = moved(heddle, ports);
    return { ...pair, [side]: part.without(object(pair[side] as JsonObject)) };
  };
}

/** Counts two at a time, which does not change what is counted; the result under the name and the side. */
async function inPairs(all: readonly Count[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const entries = all.entries();
  const worker = async (): Promise<void> => {
    for (const [index, { name, side, make }] of entries) {
      const [clientPort = 0, serverPort = 0] = await freePorts(2);
      const pair = make({ clientPort, serverPort });
      found.set(
        `${name} ${side}`,
        await instructionsPerRequest(cleanup, folder, { name: `count-${index}`, side, pair }),
      );
    }
  };
  await Promise.all([worker(), worker()]);
  return found;
}

function rows(): readonly Row[] {
  const minimal = SIDES.map((side) => counted("minimal", side));
  const whole = SIDES.map((side) => counted("heddle", side));
  const parts = PARTS.map((part) => ({
    name: part.name,
    costs: SIDES.map((side, index) => (part.sides.includes(side) ? (whole[index] ?? 0) - counted(part.name, side) : 0)),
  }));
  return [
    { measure: "minimal pair", figure: minimal.map(thousands).join(" + ") },
    { measure: "Heddle's configuration", figure: `${whole.map(thousands).join(" + ")} ${share(whole, minimal)}` },
    ...parts.map(({ name, costs }) => ({
      measure: `  ${name}`,
      figure: `${costs.map(thousands).join(" + ")} ${share(
        costs.map((cost, index) => cost + (minimal[index] ?? 0)),
        minimal,
      )}`,
    })),
  ];
}

function counted(name: string, side: Side): number {
  return results.get(`${name} ${side}`) ?? Number.NaN;
}

function thousands(value: number): string {
  return `${(value / 1_000).toFixed(1)}k`.padStart(7);
}

function share(some: readonly number[], against: readonly number[]): string {
  const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
  const percent = (sum(some) / sum(against) - 1) * 100;
  return `(${percent >= 0 ? "+" : ""}${percent.toFixed(1)}%)`;
}
