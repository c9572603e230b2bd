import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const MAIN = join(import.meta.dirname, "main.ts");
const TELL = join(import.meta.dirname, "testkit/tell-modules.ts");
// Each of these takes longer to load than everything that a help page needs.
const HEAVY = ["yaml", "zod", "cli-table3", "diff", "mustache", "@bufbuild/protobuf", "jose", "fastest-levenshtein"];

for (const words of [
  ["version", "--client"],
  ["get", "--help"],
  ["apply", "--help"],
  ["generate", "user-token", "--help"],
  ["--help"],
]) {
  test(`heddle ${words.join(" ")} loads only what it needs, so that it starts at once`, async () => {
    const { stderr } = await promisify(execFile)(process.execPath, ["--import", TELL, MAIN, ...words]);
    const loaded = JSON.parse(stderr) as readonly string[];
    const packages = loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    assert.deepEqual(
      packages.filter((name) => HEAVY.includes(name)),
      [],
    );
    // Other packages of ours come with their commands: a control plane is no part of a help page.
    const ours = loaded.flatMap((url) => /packages\/([^/]+)\//.exec(url)?.[1] ?? []);
    assert.deepEqual(new Set(ours), new Set(["cli", "model"]));
    assert.ok(loaded.length < 60, `${loaded.length} files`);
  });
}
