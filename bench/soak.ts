/**
 * `npm run soak -- [--minutes 2] [--seed 1] [--keep-control-plane]`: faults at random, one after the other, under steady
 * traffic through real sidecars whose certificates live for a minute. What happens in order, and whatever befalls the
 * control plane, must fail no request; an Envoy that is killed may fail those it held, for two seconds. No certificate
 * that has expired may be shown, and no control plane may end by itself. Ends with 1 when any of that happened. What
 * processes hold is printed; with --keep-control-plane one control plane lives all the time, so that its figures compare.
 * Loopback only.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { watchShown } from "../test/support/shown-certificates.ts";
import { steadyTraffic } from "../test/support/traffic.ts";
import { type Held, watchProcesses } from "./soak/processes.ts";
import { SoakMesh } from "./soak/soak-mesh.ts";
import { Cleanup } from "./support/cleanup.ts";
import { randomNumbers } from "./support/random.ts";
import { printTable, type Row, type Target } from "./support/report.ts";

const PER_SECOND = 50;
/** How long a killed Envoy may be felt: its supervisor brings it back within this time. */
const CRASH_MILLIS = 2_000;

/** One kind of fault. `crash` marks those that may fail requests while they last, `restart` those of the control plane. */
interface Fault {
  readonly name: string;
  readonly crash: boolean;
  readonly restart?: true;
  run(mesh: SoakMesh): Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { name: "control plane killed and started", crash: false, restart: true, run: (mesh) => mesh.restartControlPlane(0) },
  { name: "control plane away for 5 s", crash: false, restart: true, run: (mesh) => mesh.restartControlPlane(5_000) },
  { name: "instance replaced in order", crash: false, run: (mesh) => mesh.replaceInstance() },
  { name: "policy changed", crash: false, run: (mesh) => mesh.changePolicy() },
  { name: "certificate authority switched", crash: false, run: (mesh) => mesh.switchAuthority() },
  { name: "application not ready, and ready", crash: false, run: (mesh) => mesh.toggleReadiness() },
  { name: "Envoy of an instance killed", crash: true, run: (mesh) => mesh.killEnvoy() },
];

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    "keep-control-plane": { type: "boolean", default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0 && minutes <= 600) || !Number.isInteger(seed)) {
  console.error("Cannot soak: --minutes must be a number from 0.1 to 600, --seed a whole number");
  process.exit(2);
}

await using cleanup = new Cleanup();
const folder = await mkdtemp(join(tmpdir(), "heddle-soak-"));
cleanup.after(() => rm(folder, { recursive: true, force: true }));
const mesh = await SoakMesh.start(cleanup, folder, randomNumbers(seed));
const traffic = steadyTraffic(cleanup, mesh.url, PER_SECOND);
const shown = watchShown(cleanup, () => mesh.inboundPorts);
const held = watchProcesses(await mesh.lasting());
const faults = FAULTS.filter(({ restart }) => restart === undefined || !values["keep-control-plane"]);
const random = randomNumbers(seed + 1);
const counts = new Map<string, number>();
const crashes: { readonly from: number; readonly to: number }[] = [];
const end = Date.now() + minutes * 60_000;
while (Date.now() < end) {
  const fault = faults[random(faults.length)];
  if (fault === undefined || mesh.unexpectedEnd) break;
  console.log(`${new Date().toISOString()} ${fault.name}`);
  const from = Date.now();
  await fault.run(mesh);
  // A request that was under way when it began may be told of a little later.
  if (fault.crash) crashes.push({ from: from - 1_000, to: from + CRASH_MILLIS });
  counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
  await sleep(500 + random(2_000));
}
const { total, failures } = await traffic.stop();
const certificates = shown();
const unexpected = failures.filter((failure) => {
  const at = Date.parse(failure.slice(0, failure.indexOf(" ")));
  return !crashes.some(({ from, to }) => at >= from && at <= to);
});
printTable(`${minutes} minutes of faults under ${PER_SECOND} requests/s (seed ${seed})`, [
  ...[...counts].map(([measure, count]) => ({ measure, figure: `${count} times` })),
  { measure: "requests", figure: String(total) },
  { measure: "failed while a killed Envoy came back", figure: String(failures.length - unexpected.length) },
  {
    measure: "failed otherwise",
    figure: String(unexpected.length),
    target: none(unexpected.length),
  },
  { measure: "certificates shown", figure: `${certificates.serials.size} in ${certificates.looks} looks` },
  { measure: "of these expired", figure: String(certificates.expired), target: none(certificates.expired) },
  {
    measure: "control planes that ended by themselves",
    figure: String(Number(mesh.unexpectedEnd)),
    target: none(Number(mesh.unexpectedEnd)),
  },
]);
printTable("What processes held, in the second and in the last fifth of the time; most", held().flatMap(rowsOf));
for (const failure of unexpected.slice(0, 20)) console.log(`  ${failure}`);
if (mesh.unexpectedEnd) console.log(mesh.lastWords);
if (unexpected.length + certificates.expired > 0 || mesh.unexpectedEnd) process.exitCode = 1;

function none(count: number): Target {
  return { text: "0", met: count === 0 };
}

function rowsOf({ name, rss, files }: Held): readonly Row[] {
  return [
    { measure: `${name}: RSS`, figure: `${rss.start.toFixed(1)}, ${rss.end.toFixed(1)}; ${rss.peak.toFixed(1)} MB` },
    { measure: `${name}: open files`, figure: `${files.start}, ${files.end}; ${files.peak}` },
  ];
}
