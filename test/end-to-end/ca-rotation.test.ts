import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { application } from "../support/application.ts";
import { mesh, SHORT_CONNECTIONS } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, Mesh, meshService, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const builtin = (name: string, more: object = {}): object => ({ name, type: "builtin", ...more });

/** A service and a caller; gives the address of the service for the caller. */
async function twoServices(t: TestContext, lab: Mesh, first: string): Promise<string> {
  await lab.apply([first, ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  const app = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", calls: ["backend"] });
  const url = web.outbound("backend");
  await eventually(async () => assert.equal((await ask(url)).status, 200));
  return url;
}

interface Report {
  readonly id: string;
  readonly phase: string;
  readonly done: boolean;
  readonly trust: { readonly waitingFor: readonly { readonly name: string }[] };
  readonly new: { readonly roots: readonly string[] };
}

const current = async (lab: Mesh): Promise<Report> => (await lab.get("/meshes/default/ca-rotations/current")) as Report;

test("heddle rotate ca: root to root twice, then to another backend, under traffic without a failed request", async (t) => {
  const lab = await startLab(t);
  const url = await twoServices(t, lab, mesh("ca-1", builtin("ca-1"), builtin("ca-2")));
  const traffic = steadyTraffic(t, url, 200);
  const rotate = (...words: string[]): ReturnType<typeof runHeddle> =>
    runHeddle(["rotate", "ca", ...words, "--control-plane", lab.at.apiUrl]);
  const roots = new Set<string>();
  for (const _ of ["first", "second"]) {
    const { code, stdout, stderr } = await rotate();
    assert.equal(code, 0, [stdout, stderr, ...lab.log.slice(-5)].join("\n"));
    assert.match(stdout, /certificates  done 2\/2 proxies have a new one\n  old           trusted until /);
    roots.add((await current(lab)).new.roots.join());
    await eventually(async () => assert.equal((await ask(url)).status, 200));
  }
  assert.equal(roots.size, 2);
  const { code, stdout, stderr } = await rotate("--to", "ca-2", "--remove-old");
  assert.equal(code, 0, [stdout, stderr, ...lab.log.slice(-5)].join("\n"));
  assert.match(stdout, /From "ca-1" to "ca-2"[^]*old           done removed/);
  const { mtls } = (await lab.get("/meshes/default")) as { mtls: { backends: { name: string }[] } };
  assert.deepEqual(
    mtls.backends.map(({ name }) => name),
    ["ca-2"],
  );
  await lab.settled();
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 50, `${tally.total} requests`);
});

test("heddle rotate ca restores a mesh whose root and certificates have all expired", async (t) => {
  const lab = await startLab(t);
  const short = builtin("ca-1", { conf: { caCert: { expiration: "10s" } } });
  const url = await twoServices(t, lab, mesh("ca-1", short));
  await eventually(async () => assert.equal((await ask(url)).status, 503, "everything has not expired yet"), 30_000);
  const lasting = builtin("ca-1", { conf: { caCert: { expiration: "1h" } } });
  await lab.apply(mesh("ca-1", lasting));
  const { code, stdout, stderr } = await runHeddle(["rotate", "ca", "--control-plane", lab.at.apiUrl]);
  assert.equal(code, 0, [stdout, stderr, ...lab.log.slice(-5)].join("\n"));
  await eventually(async () => assert.equal((await ask(url)).status, 200));
});
