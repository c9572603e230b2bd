/**
 * `npm run bench [name ...]`: runs the named benchmarks, or all but connections and data-path-parts, one after the other, each in a process
 * of its own. They open ports on loopback only and take less than three minutes each (control-plane: each of its three
 * sizes; data-path-parts: five; rotations: four). Ends with 1 if one could not be run; a missed target is a finding, not a failure.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { machine } from "./support/report.ts";

const BENCHMARKS: Readonly<Record<string, string>> = {
  compile: "the pure part: snapshot, match, plan, emit of 2,000 proxies",
  identity: "certificates and tokens a second",
  transport: "gRPC servers for thousands of streams",
  "control-plane": "a real control plane with 10, 500 and 2,000 proxies: deploy, policies, endpoints, CA, restart",
  "data-path": "requests through two sidecars, against a hand-written pair of Envoys",
  connections: "100,000 proxies that come and go, and 5,000 that return at once; half an hour",
  rotations: "200 requests/s through renewals and changes of authority, the control plane killed in each",
  handshakes: "a new connection between two sidecars for every request, from the start and resumed",
  "rate-limit": "requests that are counted over all instances, against a limit that each proxy counts by itself",
  "data-path-parts": "what each thing costs that a sidecar does for a request; wants valgrind",
};
// Both take longer than all others together; what a request costs is the same on any machine.
const ONLY_WHEN_ASKED = new Set(["data-path-parts", "connections"]);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  const list = Object.entries(BENCHMARKS).map(([name, what]) => `  ${name.padEnd(16)} ${what}`);
  console.error(`Cannot run ${unknown.map((name) => `"${name}"`).join(", ")}: the benchmarks are\n${list.join("\n")}`);
  process.exit(2);
}
const all = Object.keys(BENCHMARKS).filter((name) => !ONLY_WHEN_ASKED.has(name));
for (const name of asked.length > 0 ? asked : all) {
  console.log(`\n=== ${name}: ${BENCHMARKS[name]}\n    ${machine()}`);
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
