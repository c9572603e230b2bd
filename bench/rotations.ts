/**
 * 200 requests/s through two sidecars, sent whether or not earlier ones are answered, half of them over connections that
 * stay and half over ever new ones, while certificates are renewed every few seconds and authorities are replaced: another
 * root, OpenBao (a root, then an intermediate, then a new intermediate), and back. The control plane is killed and started
 * in the middle of each. Ends with 1 when a request failed, an expired certificate was shown, or a peer with a certificate
 * of an authority that is gone was let in. Run: `node bench/rotations.ts`
 */
import assert from "node:assert/strict";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../test/support/eventually.ts";
import { openLoop, type OpenLoopTally } from "../test/support/open-loop.ts";
import { type Backend, RotatingMesh } from "../test/support/rotating-mesh.ts";
import { type Shown, watchShown } from "../test/support/shown-certificates.ts";
import { Cleanup } from "./support/cleanup.ts";
import { printTable, type Row, type Target } from "./support/report.ts";
import { spread } from "./support/statistics.ts";

const PER_SECOND = 200;
/** Renewals alone are watched for a minute, other changes at least so long. Milliseconds. */
const RENEWALS_MILLIS = 60_000;
const CHANGE_MILLIS = 20_000;
const PATIENCE_MILLIS = 30_000;

/** What happens under traffic; where an authority goes, its peers must not get in any more. */
interface Phase {
  readonly name: string;
  readonly millis: number;
  readonly removes?: Backend;
  readonly run: (mesh: RotatingMesh) => Promise<void>;
}

const change = (from: Backend, to: Backend): Phase => ({
  name: `${from} → ${to}`,
  millis: CHANGE_MILLIS,
  removes: from,
  run: async (mesh) => {
    await mesh.trust(from, to);
    await mesh.rotate({ to, removeOld: true }, () => mesh.restart());
  },
});

const PHASES: readonly Phase[] = [
  {
    name: "renewals",
    millis: RENEWALS_MILLIS,
    run: async (mesh) => {
      await sleep(RENEWALS_MILLIS / 2);
      await mesh.restart();
    },
  },
  {
    name: "new root",
    millis: CHANGE_MILLIS,
    removes: "ca-1",
    run: async (mesh) => {
      await mesh.trust("ca-1");
      await mesh.rotate({ removeOld: true }, () => mesh.restart());
    },
  },
  change("ca-1", "vault-root"),
  change("vault-root", "vault-intermediate"),
  {
    name: "new intermediate",
    millis: CHANGE_MILLIS,
    run: async (mesh) => {
      await mesh.newIntermediate();
      await mesh.restart();
    },
  },
  change("vault-intermediate", "ca-1"),
];

await using cleanup = new Cleanup();
const mesh = await RotatingMesh.start(cleanup);
await mesh.newIntermediate();
const shown = watchShown(cleanup, () => [mesh.port]);
for (const phase of PHASES) await measure(phase);
console.log(process.exitCode === 1 ? "\nNOT met" : "\nmet: 0 failed requests");

async function measure({ name, millis, removes, run }: Phase): Promise<void> {
  const peer = removes === undefined ? undefined : await mesh.peer(removes);
  if (peer !== undefined) assert.equal(await mesh.answer(peer), 200, "its authority is still trusted");
  const [before, handshakes] = [shown(), await mesh.handshakes()];
  const stop = openLoop(cleanup, mesh.urls, PER_SECOND);
  await Promise.all([run(mesh), sleep(millis)]);
  const answer = await eventually(async () => {
    const status = peer === undefined ? 0 : await mesh.answer(peer);
    assert.equal(status, 0);
    return status;
  }, PATIENCE_MILLIS).catch(() => 200);
  const tally = await stop();
  report(name, {
    tally,
    handshakes: (await mesh.handshakes()) - handshakes,
    shown: since(before, shown()),
    stale: peer === undefined ? [] : [{ measure: "peer of the old authority", ...verdict(answer) }],
  });
}

interface Figures {
  readonly tally: OpenLoopTally;
  readonly handshakes: number;
  readonly shown: Shown;
  readonly stale: readonly Row[];
}

function report(name: string, { tally, handshakes, shown: { looks, expired, serials }, stale }: Figures): void {
  const failed = [...tally.failures.values()].reduce((sum, count) => sum + count, 0);
  const rows: readonly Row[] = [
    { measure: "requests", figure: String(tally.total) },
    { measure: "failed", figure: String(failed), target: target(failed === 0) },
    ...[...tally.failures].map(([measure, count]) => ({ measure: `  ${measure}`, figure: String(count) })),
    { measure: "time of a request", figure: spread(tally.millis) },
    { measure: "handshakes with certificates", figure: String(handshakes) },
    { measure: "certificates that the caller showed", figure: String(tally.bodies.size) },
    { measure: `certificates that the service showed, in ${looks} looks`, figure: String(serials.size) },
    { measure: "of these expired", figure: String(expired), target: target(expired === 0) },
    ...stale,
  ];
  printTable(`${name}, with the control plane killed (load ${loadavg()[0]?.toFixed(1)})`, rows);
  if (rows.some((row) => row.target?.met === false)) process.exitCode = 1;
}

function since(before: Shown, now: Shown): Shown {
  return {
    looks: now.looks - before.looks,
    expired: now.expired - before.expired,
    serials: now.serials.difference(before.serials),
  };
}

function target(met: boolean): Target {
  return { text: "0", met };
}

function verdict(answer: number): Pick<Row, "figure" | "target"> {
  return { figure: answer === 0 ? "refused" : "let in", target: { text: "refused", met: answer === 0 } };
}
