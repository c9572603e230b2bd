import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { type Lab, mtls, startLab } from "../support/lab.ts";

const PLANTED = "planted-by-the-test";
type Source = { readonly file: string } | { readonly secret: string };

/** What a mesh author gets for an authority whose certificate and key stand there. */
async function provided(
  lab: Lab,
  cert: Source,
  key: Source,
): Promise<{ readonly status: number; readonly text: string }> {
  const backends = [{ name: "ca-1", type: "provided", conf: { cert, key } }];
  const answer = await lab.put({ type: "Mesh", name: "mine", mtls: { enabledBackend: "ca-1", backends } } as Parameters<
    Lab["put"]
  >[0]);
  return { status: answer.status, text: await answer.text() };
}

test("who writes a mesh cannot use the secrets of another mesh", async (t) => {
  const lab = await startLab(t);
  await lab.apply(mtls());
  await lab.apply("type: Mesh\nname: mine\n");
  const theirs = { cert: "default.ca-builtin-cert-ca-1", key: "default.ca-builtin-key-ca-1" };
  await eventually(async () => {
    const { items } = await lab.controlPlane.store.list({ type: "Secret", mesh: "default" });
    const names = items.map(({ name }) => name);
    for (const name of Object.values(theirs))
      assert.ok(names.includes(name), `${name} is not made yet, only ${names.join()}`);
  });
  const { status, text } = await provided(lab, { secret: theirs.cert }, { secret: theirs.key });
  assert.equal(status, 400, text);
  assert.match(text, /Secret \\?"default.ca-builtin-cert-ca-1\\?" of mesh \\?"mine\\?" does not exist/);
});

test("what stands in a file that a mesh names comes back to nobody", async (t) => {
  const lab = await startLab(t);
  await lab.apply("type: Mesh\nname: mine\n");
  const file = join(lab.folder, "of-the-control-plane");
  const contents = [
    PLANTED,
    `root:x:0:0:${PLANTED}:/root:/bin/sh\n`,
    `-----BEGIN CERTIFICATE-----\n${PLANTED}\n-----END CERTIFICATE-----\n`,
    `-----BEGIN PRIVATE KEY-----\n${btoa(PLANTED)}\n-----END PRIVATE KEY-----\n`,
  ];
  for (const content of contents) {
    await writeFile(file, content);
    const { status, text } = await provided(lab, { file }, { file });
    assert.equal(status, 400, text);
    const shown = [text, ...lab.log];
    for (const path of ["/meshes", "/mesh-insights", "/meshes/mine/_certificates", "/meshes/mine/meshtrusts"]) {
      shown.push(await (await fetch(`${lab.at.apiUrl}${path}`)).text());
    }
    for (const secret of [PLANTED, btoa(PLANTED)]) {
      assert.ok(!shown.join("\n").includes(secret), `${secret} is shown after ${JSON.stringify(content)}`);
    }
  }
});
