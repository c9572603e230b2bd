import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Runs a tool of node_modules/.bin. What it prints when it fails are its findings, a line each. */
export async function runTool(name: string, args: readonly string[]): Promise<readonly string[]> {
  const tool = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([text(tool.stdout), text(tool.stderr), once(tool, "close")]);
  if (code === 0) return [];
  const lines = `${out}\n${err}`.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 0 ? lines : [`${name} failed and said nothing (exit code ${code})`];
}
