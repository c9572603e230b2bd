/**
 * What it costs that nobody resumes a session (docs/decisions/0012-no-session-is-resumed.md): two pairs of sidecars that
 * make a new connection for every request, one as Heddle configures it, one whose server gives out tickets, in turns.
 * Run: `node bench/handshakes.ts [rounds]`, default 7.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import { type Round, saturate } from "./data-path/load.ts";
import { direct, type HeddlePair, heddlePair } from "./data-path/paths.ts";
import { Cleanup } from "./support/cleanup.ts";
import { threadSeconds } from "./support/process-figures.ts";
import { printTable, type Row } from "./support/report.ts";
import { figure, median } from "./support/statistics.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const SECONDS = 2;
/** One after the other: a client's sidecar keeps one ticket, which is good for one connection. */
const CONNECTIONS = 1;

const CLUSTER = "kri_msvc_default_default__server_main";
const HTTP_OPTIONS = "/typedExtensionProtocolOptions/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const ONCE = {
  cluster: {
    operation: "Patch",
    match: { name: CLUSTER },
    jsonPatches: [{ op: "add", path: `${HTTP_OPTIONS}/commonHttpProtocolOptions/maxRequestsPerConnection`, value: 1 }],
  },
};
const TLS = "/filterChains/0/transportSocket/typedConfig";
const TICKETS = {
  listener: {
    operation: "Patch",
    match: { name: "self_inbound_dp_main" },
    jsonPatches: ["disableStatelessSessionResumption", "disableStatefulSessionResumption"].map((field) => ({
      op: "remove",
      path: `${TLS}/${field}`,
    })),
  },
};

interface Measured {
  readonly pair: HeddlePair;
  readonly rounds: Round[];
  /** Processor time of the two sidecars for one request, in microseconds: of the server's, of the client's. */
  readonly cpu: (readonly [number, number])[];
}

await using cleanup = new Cleanup();
const first = await folder();
const { port } = await direct(cleanup, first, 1);
const measured = [await pairWith("a handshake from the start", []), await pairWith("a resumed session", [TICKETS])];
for (const { pair } of measured) await saturate(pair.url, CONNECTIONS, 1, false);
for (let round = 0; round < ROUNDS; round += 1)
  for (const each of round % 2 === 0 ? measured : measured.toReversed()) await measure(each);
printTable(
  `a new connection for every request, one after the other, ${ROUNDS} rounds of ${SECONDS} s (load ${loadavg()[0]?.toFixed(1)})`,
  rows(),
);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "heddle-bench-"));
  cleanup.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function pairWith(name: string, more: readonly object[]): Promise<Measured> {
  const spec = { default: { appendModifications: [ONCE, ...more] } };
  const policies = [stringify({ type: "MeshProxyPatch", mesh: "default", name: "new-connections", spec })];
  const pair = await heddlePair(cleanup, await folder(), { applicationPort: port, beside: { name, policies } });
  return { pair, rounds: [], cpu: [] };
}

async function measure({ pair, rounds, cpu }: Measured): Promise<void> {
  const [before, connections] = [await used(pair), await handshakes(pair)];
  const round = await saturate(pair.url, CONNECTIONS, SECONDS, false);
  const [after, now] = [await used(pair), await handshakes(pair)];
  const made = now.all - connections.all;
  assert.ok(made >= round.requests, `${made} connections for ${round.requests} requests`);
  const resumed = (now.resumed - connections.resumed) / made;
  assert.ok(pair === measured[0]?.pair ? resumed === 0 : resumed > 0.9, `${resumed} of the connections were resumed`);
  rounds.push(round);
  cpu.push([0, 1].map((side) => ((after[side] ?? 0) - (before[side] ?? 0)) / round.requests) as [number, number]);
}

/** Processor time of each sidecar until now, in microseconds: the server's, the client's. */
async function used(pair: HeddlePair): Promise<readonly number[]> {
  const sides = await pair.sidecars();
  return await Promise.all(
    sides.map(async (pids) => (await Promise.all(pids.map(threadSeconds))).reduce((sum, each) => sum + each, 0) * 1e6),
  );
}

/** How many connections the client's sidecar has made with TLS, and how many of them resumed a session. */
async function handshakes({ workDirs }: HeddlePair): Promise<{ readonly all: number; readonly resumed: number }> {
  const lines = (
    await adminText(join(workDirs[1] ?? "", "kuma-envoy-admin.sock"), `/stats?filter=${CLUSTER}.*ssl`)
  ).split("\n");
  const value = (name: string): number => Number(lines.find((line) => line.includes(name))?.split(": ")[1] ?? 0);
  return { all: value(".ssl.handshake:"), resumed: value(".ssl.session_reused:") };
}

async function adminText(socketPath: string, path: string): Promise<string> {
  const asked = request({ socketPath, path }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return await text(answer);
}

function rows(): readonly Row[] {
  return measured.map(({ pair, rounds, cpu }) => {
    const [server, client] = [0, 1].map((side) => figure(median(cpu.map((each) => each[side] ?? 0))));
    const perSecond = median(rounds.map((round) => round.perSecond)).toFixed(0);
    const [p50, p99] = (["p50", "p99"] as const).map((key) => figure(median(rounds.map((round) => round[key]))));
    const times = `p50 ${p50}, p99 ${p99} ms`;
    return {
      measure: pair.name,
      figure: `${perSecond}/s, ${times}; server's ${server}, client's ${client} µs a request`,
    };
  });
}
