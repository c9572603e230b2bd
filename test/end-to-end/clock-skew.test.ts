/** Sidecars, launcher and Envoy, on machines whose clock is not the control plane's. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { application } from "../support/application.ts";
import { renewed, serials, SHORT_CONNECTIONS } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, type Sidecar, startLab } from "../support/lab.ts";
import { shiftedClock, withoutShiftedClock } from "../support/shifted-clock.ts";
import { ask, askAnew, steadyTraffic } from "../support/traffic.ts";

const skip = withoutShiftedClock();
// The second that is missing to five minutes is what tests may take: a certificate is younger than its reader thinks.
const FIVE_MINUTES = 299;
const HOUR = 3_600;

async function startService(t: TestContext, lab: Lab): Promise<void> {
  await lab.apply([mtls(), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  const { port: servicePort } = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort });
}

/** A caller of the service on a machine that is so many seconds ahead, or behind when negative. */
async function caller(lab: Lab, name: string, seconds: number, noWait = false): Promise<Sidecar> {
  // Such a token outlives the shift.
  const token = await lab.token(name, "default", "24h");
  return await lab.sidecar({ name, token, calls: ["backend"], env: await shiftedClock(lab.folder, seconds), noWait });
}

test(
  "clocks five minutes behind and ahead: no failed request, new certificates included, and no word about it",
  {
    skip,
  },
  async (t) => {
    const lab = await startLab(t);
    await startService(t, lab);
    const callers = await Promise.all([caller(lab, "behind", -FIVE_MINUTES), caller(lab, "ahead", FIVE_MINUTES)]);
    const urls = callers.map((each) => each.outbound("backend"));
    for (const url of urls) await eventually(async () => assert.equal((await ask(url)).status, 200));
    const traffic = urls.map((url) => steadyTraffic(t, url, 50));
    for (const expiration of ["12h", "11h"]) {
      const before = serials(lab);
      await lab.apply(mtls("STRICT", expiration));
      await renewed(lab, before);
      // Requests that meet the new certificates.
      await sleep(500);
    }
    for (const each of traffic) {
      const { total, failures } = await each.stop();
      assert.deepEqual(failures, []);
      assert.ok(total >= 5, `${total} requests`);
    }
    for (const { output } of callers) assert.doesNotMatch(output(), /CLOCKS DIFFER/);
  },
);

test(
  "a clock an hour ahead: the launcher says so, and requests need certificates that live longer than that",
  {
    skip,
  },
  async (t) => {
    const lab = await startLab(t);
    await startService(t, lab);
    await lab.apply(mtls("STRICT", "30m"));
    await lab.settled();
    const ahead = await caller(lab, "ahead", HOUR);
    assert.match(ahead.output(), /CLOCKS DIFFER: this machine's is (59m59s|1h(1s)?) ahead of the control plane's/);
    const url = ahead.outbound("backend");
    await eventually(async () => assert.equal((await askAnew(url)).status, 503), 15_000);
    await lab.apply(mtls("STRICT", "24h"));
    await eventually(async () => assert.equal((await askAnew(url)).status, 200), 15_000);
  },
);

test(
  "a clock an hour behind: the launcher ends and names the clock, before the control plane is asked",
  {
    skip,
  },
  async (t) => {
    const lab = await startLab(t);
    const behind = await caller(lab, "behind", -HOUR, true);
    await eventually(() => assert.notEqual(behind.process.exitCode, null, behind.output()), 15_000);
    assert.match(behind.output(), /token .* is valid from \S+ on \(it is \S+ here\): is the clock right\?/);
  },
);
