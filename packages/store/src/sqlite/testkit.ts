import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** The path of a store in a new temporary folder, which is removed after the test. */
export function temporaryFile(t: Pick<TestContext, "after">): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-store-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data", "heddle.db");
}
