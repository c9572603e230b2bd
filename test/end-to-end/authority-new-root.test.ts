import assert from "node:assert/strict";
import { test } from "node:test";
import { runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { LONG_LIFE, RotatingMesh } from "../support/rotating-mesh.ts";
import { refused, underTraffic } from "../support/under-traffic.ts";

test("heddle rotate ca: a new root, the control plane killed in the middle: no failed request, stale peers refused", async (t) => {
  const mesh = await RotatingMesh.start(t, { life: LONG_LIFE });
  const rotate = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHeddle(["rotate", "ca", ...words, "--control-plane", mesh.apiUrl]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return stdout;
  };
  const stale = await mesh.peer("ca-1");
  assert.equal(await mesh.answer(stale), 200);
  await underTraffic(t, mesh, async () => {
    const begun = JSON.parse(await rotate("--remove-old", "--no-wait", "--output", "json")) as { readonly id: string };
    assert.equal((await mesh.rotation()).done, false, "it was over before the control plane was killed");
    await mesh.restart();
    await mesh.rotated(begun.id);
    assert.match(
      await rotate("--status"),
      /certificates  done 2\/2 proxies have a new one\n  old           done removed/,
    );
    await refused(mesh, stale);
  });
  assert.equal(await mesh.answer(await mesh.peer("ca-1")), 200);
});
