import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { controlPlaneProcess } from "../support/control-plane-process.ts";

async function put(url: string, path: string, body: object): Promise<number> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
  return response.status;
}

test("a control plane that is killed has a record of every write that it acknowledged", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "audit-kill-"));
  const path = join(folder, "audit.log");
  process.env["HEDDLE_ACCESS_AUDIT_BACKENDS"] = JSON.stringify([{ type: "file", file: { path } }]);
  const controlPlane = await controlPlaneProcess(t, folder);
  t.after(() => rm(folder, { recursive: true, force: true }));
  const audit = { type: "AccessAudit", name: "all", rules: [{ accessAll: true }] };
  assert.equal(await put(controlPlane.apiUrl, "/access-audits/all", audit), 201);

  const acknowledged: string[] = [];
  let next = 0;
  const writer = async (): Promise<void> => {
    for (;;) {
      const name = `z-${next++}`;
      if ((await put(controlPlane.apiUrl, `/zones/${name}`, { type: "Zone", name })) === 201) acknowledged.push(name);
      if (acknowledged.length === 200) void controlPlane.kill();
    }
  };
  // Each writer ends when its connection does: in the middle of its work.
  await Promise.allSettled(Array.from({ length: 8 }, writer));

  const lines = (await readFile(path, "utf8")).split("\n");
  const whole = lines.flatMap((line) =>
    line.endsWith("}") ? [JSON.parse(line) as { resource: { name: string } }] : [],
  );
  const recorded = new Set(whole.map(({ resource }) => resource.name));
  assert.ok(acknowledged.length >= 200, `only ${acknowledged.length} writes were acknowledged`);
  assert.deepEqual(
    acknowledged.filter((name) => !recorded.has(name)),
    [],
  );
});
