/**
 * Which gRPC server carries thousands of discovery streams best: node:http2 with thin framing, or @grpc/grpc-js with byte
 * pass-through? And what does the state machine add? Server and client are processes of their own, TLS 1.3 on loopback.
 * Run: `node bench/transport.ts [streams] [pushes]`. One push is 10 kB to all; it ends when all have acknowledged it.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { selfSigned } from "@heddle/xds/testkit/self-signed.ts";
import type { ServerReport, TransportName } from "./transport-server.ts";

const STREAMS = Number(process.argv[2] ?? 2_000);
const PUSHES = Number(process.argv[3] ?? 7);
const CANDIDATES: readonly TransportName[] = ["http2", "grpc-js", "heddle"];

const tls = selfSigned();
const reports: ServerReport[] = [];
for (const name of CANDIDATES) {
  const report = await measure(name);
  reports.push(report);
  print(report);
}
const [base] = reports;
for (const report of reports.slice(1)) if (base !== undefined) printRatios(report, base);

async function measure(name: TransportName): Promise<ServerReport> {
  const server = start("transport-server.ts");
  server.send({ name, tls, streams: STREAMS, pushes: PUSHES });
  const [port] = (await once(server, "message")) as [number];
  const client = start("transport-client.ts");
  client.send({ port, ca: tls.cert, streams: STREAMS });
  const [report] = (await once(server, "message")) as [ServerReport];
  client.kill();
  server.kill();
  await Promise.all([once(client, "exit"), once(server, "exit")]);
  return report;
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: "inherit" });
}

function print(report: ServerReport): void {
  const { name, connectMillis, connectCpuMillis, rssMb, kbAStream, peakRssMb, p50, p99, pushCpuMillis } = report;
  console.log(
    `${name.padEnd(8)} ${STREAMS} streams in ${(connectMillis / 1000).toFixed(1)} s (server CPU ` +
      `${(connectCpuMillis / 1000).toFixed(1)} s), RSS ${rssMb} MB (${kbAStream} kB a stream), peak ${peakRssMb} MB; ` +
      `push to ACK p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, server CPU ${pushCpuMillis.toFixed(0)} ms a push`,
  );
}

function printRatios(report: ServerReport, against: ServerReport): void {
  const keys = ["connectCpuMillis", "kbAStream", "peakRssMb", "p50", "p99", "pushCpuMillis"] as const;
  const ratios = keys.map((key) => `${key} ${(report[key] / against[key]).toFixed(2)}`);
  console.log(`${report.name} / ${against.name}: ${ratios.join(", ")}`);
}
