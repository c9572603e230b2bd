import { readFileSync } from "node:fs";

/** The version of this command: that of its package. */
export function clientVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
