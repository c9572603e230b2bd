import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { CaRotationReport } from "@heddle/api/reports.ts";
import { builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import { RotationLab } from "./testkit/rotation-lab.ts";

const PLACE = { mesh: "default" };
const IDENTITY = { mesh: "default", identity: "everybody" };
const NEW_ROOT = { removeOld: false };

function mesh(enabledBackend: string, ...backends: readonly object[]): object {
  return { type: "Mesh", name: "default", mtls: { enabledBackend, backends } };
}

const builtin = (name: string, more: object = {}): object => ({ name, type: "builtin", ...more });

const BUNDLED = {
  type: "MeshIdentity",
  mesh: "default",
  name: "everybody",
  spec: {
    selector: { dataplane: { matchLabels: {} } },
    provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
  },
};

function report(lab: RotationLab, place = PLACE): CaRotationReport {
  const found = lab.running.rotations.current(place);
  assert.ok(found);
  return found;
}

const isDone =
  (lab: RotationLab, place = PLACE) =>
  () =>
    lab.running.rotations.current(place)?.done === true;

/** The roots of the certificates that proxies show, by how many show them. */
function issuers(lab: RotationLab, pems: readonly string[]): number[] {
  return pems.map((pem) => {
    const root = new X509Certificate(pem);
    return lab.proxies.filter(({ certificate = "" }) => new X509Certificate(certificate).verify(root.publicKey)).length;
  });
}

test("a new root signs only when everybody has acknowledged it, and the old one stays trusted for one life", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"))]);
  const [, , slow] = lab.proxies;
  assert.ok(slow);
  slow.isPrompt = false;
  await lab.running.rotations.start(PLACE, NEW_ROOT, "jane");
  await lab.until(() => report(lab).trust.reached === 2);
  const { phase, trust, certificates, startedBy } = report(lab);
  assert.deepEqual(
    { phase, startedBy, reached: certificates.reached },
    { phase: "trusting", startedBy: "jane", reached: 0 },
  );
  assert.deepEqual(trust.waitingFor, [{ name: "c", reason: "has not acknowledged it" }]);

  slow.isPrompt = true;
  slow.acknowledge();
  await lab.until(isDone(lab), () => lab.assertTrusted());
  const after = report(lab);
  assert.equal(after.phase, "withdrawing");
  assert.deepEqual(issuers(lab, [after.new.pem]), [3]);
  assert.equal(lab.proxies[0]?.trusted.length, 2);
  const until = new Date(after.old.trustedUntil ?? "").getTime() - lab.now.getTime();
  assert.ok(until > 23 * 3_600_000 && until <= 24 * 3_600_000 + 60_000, `${until} ms`);

  // Nobody can hold a certificate of the old root any more.
  lab.now = new Date(lab.now.getTime() + 25 * 3_600_000);
  for (const each of lab.running.meshes.all()) each.trustChanged();
  lab.running.rotations.look();
  await lab.until(() => report(lab).phase === "done" && lab.proxies.every(({ trusted }) => trusted.length === 1));
  assert.equal(report(lab).old.isRemoved, true);
});

test("the same rotation asked for twice is one; another one at the same time is refused with what is under way", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  for (const proxy of lab.proxies) proxy.isPrompt = false;
  const { rotations } = lab.running;
  const first = await rotations.start(PLACE, NEW_ROOT, "jane");
  const second = await rotations.start(PLACE, { removeOld: true }, "joe");
  assert.equal(second.id, first.id);
  assert.equal(second.removeOld, true);
  await assert.rejects(rotations.start(PLACE, { to: "ca-2", removeOld: false }, "joe"), (error: Error) => {
    assert.match(error.message, /the rotation of the root of "ca-1" is under way/);
    return (error as Error & { status: number }).status === 409;
  });
});

const refusals = [
  [{ to: "ca-9", removeOld: false }, PLACE, /lists no backend "ca-9", only "ca-1"/],
  [{ to: "ca-1", removeOld: false }, PLACE, /"ca-1" signs already/],
  [NEW_ROOT, { mesh: "default", identity: "nobody" }, /there is no MeshIdentity "nobody"/],
  [NEW_ROOT, { mesh: "other" }, /there is no mesh "other"/],
] as const;

for (const [wish, place, message] of refusals) {
  test(`a rotation that makes no sense is refused: ${message.source}`, async () => {
    await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"))]);
    await assert.rejects(lab.running.rotations.start(place, wish, "jane"), message);
  });
}

test("from backend to backend: everybody trusts the new one, then it signs, then the old one is taken out", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  await lab.running.rotations.start(PLACE, { to: "ca-2", removeOld: true }, "jane");
  await lab.until(isDone(lab), () => lab.assertTrusted());
  const { phase, old } = report(lab);
  assert.deepEqual([phase, old.isRemoved, old.holders], ["done", true, 0]);
  const { spec } = lab.running.meshes.get("default")?.snapshot.mesh ?? {};
  await lab.until(() => lab.running.meshes.get("default")?.snapshot.mesh.spec.mtls?.backends?.length === 1);
  assert.equal(spec?.mtls?.enabledBackend, "ca-2");
});

test("an old authority is trusted for a while after its last certificate: handshakes with it may be on their way", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))], ["a", "b"], 400);
  await lab.running.rotations.start(PLACE, { to: "ca-2", removeOld: true }, "jane");
  await lab.until(() => report(lab).phase === "withdrawing" && report(lab).old.holders === 0);
  await lab.until(() => report(lab).problem?.startsWith("handshakes") === true);
  assert.equal(lab.running.meshes.get("default")?.snapshot.mesh.spec.mtls?.backends?.length, 2);
  lab.now = new Date(lab.now.getTime() + 400);
  lab.running.rotations.look();
  await lab.until(() => report(lab).old.isRemoved);
});

test("whoever asks again after the end gets the rotation that is over, and may still have the old backend taken out", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  const { rotations } = lab.running;
  const wish = { to: "ca-2", removeOld: false };
  const { id } = await rotations.start(PLACE, wish, "jane");
  await lab.until(() => report(lab).phase === "done");
  const again = await rotations.start(PLACE, wish, "jane");
  assert.deepEqual([again.id, again.phase, again.startedBy], [id, "done", "jane"]);
  assert.equal((await rotations.start(PLACE, { ...wish, removeOld: true }, "joe")).id, id);
  await lab.until(() => report(lab).old.isRemoved);
  await lab.until(() => lab.running.meshes.get("default")?.snapshot.mesh.spec.mtls?.backends?.length === 1);
});

test("a backend stays while a proxy that is away holds a certificate of it, and goes when that has ended", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  const [away] = lab.proxies;
  assert.ok(away);
  lab.giveUp(away);
  await lab.running.rotations.start(PLACE, { to: "ca-2", removeOld: true }, "jane");
  await lab.until(
    () => report(lab).phase === "withdrawing",
    () => lab.assertTrusted(),
  );
  assert.equal(report(lab).old.holders, 1);
  assert.equal(report(lab).done, false);
  lab.connect(away);
  await lab.until(isDone(lab));
  assert.equal(report(lab).phase, "done");
});

test("a proxy that froze before it acknowledged its new certificate holds the old one, also when it is away", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  const [frozen] = lab.proxies;
  assert.ok(frozen);
  frozen.isPrompt = false;
  await lab.running.rotations.start(PLACE, { to: "ca-2", removeOld: true }, "jane");
  const unacknowledged = [{ name: "a", reason: "has not acknowledged its new certificate" }];
  await lab.until(() => JSON.stringify(report(lab).certificates.waitingFor) === JSON.stringify(unacknowledged));
  assert.equal(report(lab).old.holders, 1);
  assert.deepEqual([...(lab.running.meshes.get("default")?.unacknowledged.keys() ?? [])], ["a"]);

  lab.giveUp(frozen);
  await lab.until(() => report(lab).phase === "withdrawing");
  assert.equal(report(lab).old.holders, 1);
  frozen.isPrompt = true;
  lab.connect(frozen);
  await lab.until(isDone(lab));
  assert.equal(report(lab).old.holders, 0);
});

test("the authority of a MeshIdentity: its MeshTrust holds both roots, and the old one goes when it is over", async () => {
  await using lab = await RotationLab.start([{ type: "Mesh", name: "default" }, BUNDLED]);
  await lab.running.rotations.start(IDENTITY, NEW_ROOT, "jane");
  await lab.until(isDone(lab, IDENTITY), () => lab.assertTrusted());
  const { phase, new: made } = report(lab, IDENTITY);
  assert.equal(phase, "withdrawing");
  assert.deepEqual(issuers(lab, [made.pem]), [3]);
  assert.equal(lab.proxies[0]?.trusted.length, 2);
  lab.now = new Date(lab.now.getTime() + 25 * 3_600_000);
  lab.running.rotations.look();
  await lab.until(() => lab.proxies.every(({ trusted }) => trusted.length === 1));
  assert.equal(report(lab, IDENTITY).phase, "done");
});

test("a user-managed MeshTrust: the rotation waits, says for what, and goes on when the root is in it", async () => {
  const disabled = structuredClone(BUNDLED);
  Object.assign(disabled.spec.provider.bundled, { meshTrustCreation: "Disabled" });
  await using lab = await RotationLab.start([{ type: "Mesh", name: "default" }, disabled]);
  await lab.running.rotations.start(IDENTITY, NEW_ROOT, "jane");
  await lab.until(() => report(lab, IDENTITY).problem !== undefined);
  const { problem, new: made } = report(lab, IDENTITY);
  assert.match(problem ?? "", /a MeshTrust of "default\.zone-1\.mesh\.local" must list the new root/);
  const caBundles = [{ type: "Pem", pem: { value: made.pem } }];
  const spec = { trustDomain: "default.zone-1.mesh.local", caBundles };
  await lab.put({ type: "MeshTrust", mesh: "default", name: "own", spec });
  await lab.until(isDone(lab, IDENTITY));
});

test("repair: when root and certificates have ended, one rotation brings everybody back", async () => {
  const shortLived = builtin("ca-1", {
    conf: { caCert: { expiration: "2h" } },
    dpCert: { rotation: { expiration: "1h" } },
  });
  await using lab = await RotationLab.start([mesh("ca-1", shortLived)]);
  const before = lab.proxies.map(({ certificate }) => certificate);
  lab.now = new Date(lab.now.getTime() + 3 * 3_600_000);
  lab.kill();
  await lab.startControlPlane();
  for (const proxy of lab.proxies) lab.connect(proxy);
  await lab.until(() => lab.failures.some((text) => text.includes("ended at")));
  await lab.running.rotations.start(PLACE, NEW_ROOT, "jane");
  await lab.until(isDone(lab));
  for (const [index, { certificate = "", trusts }] of lab.proxies.entries()) {
    assert.notEqual(certificate, before[index]);
    assert.ok(new X509Certificate(certificate).validToDate > lab.now);
    assert.ok(trusts.call(lab.proxies[index], certificate));
  }
});

test("repair: an authority whose key is lost is replaced, and what it issued is trusted meanwhile", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"))]);
  lab.kill();
  await lab.store.delete({ type: "Secret", mesh: "default", name: builtinSecretNames("default", "ca-1").key });
  await lab.startControlPlane();
  for (const proxy of lab.proxies) lab.connect(proxy);
  await lab.running.rotations.start(PLACE, NEW_ROOT, "jane");
  await lab.until(isDone(lab), () => lab.assertTrusted());
  assert.deepEqual(issuers(lab, [report(lab).new.pem]), [3]);
  assert.equal(lab.proxies[0]?.trusted.length, 2);
});

test("a write of the mesh that goes another way stops a rotation and says so; nothing is lost", async () => {
  await using lab = await RotationLab.start([mesh("ca-1", builtin("ca-1"), builtin("ca-2"))]);
  for (const proxy of lab.proxies) proxy.isPrompt = false;
  await lab.running.rotations.start(PLACE, { to: "ca-2", removeOld: false }, "jane");
  await lab.put(mesh("ca-1", builtin("ca-1")));
  await lab.until(() => report(lab).phase === "stopped");
  assert.equal(report(lab).problem, 'the mesh lists backend "ca-2" no more');
});
