import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringOpenBao } from "../../scripts/setup/test-tools.mjs";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

/** An agent in front of a server: it logs in with the token in its own file, and adds that to requests. Ends with the test. */
export async function startOpenBaoAgent(
  t: Ending,
  { address, token }: { readonly address: string; readonly token: string },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-openbao-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const [config, tokenFile] = [join(folder, "agent.json"), join(folder, "token")];
  await writeFile(tokenFile, token);
  const text = JSON.stringify({
    vault: { address },
    auto_auth: { method: [{ type: "token_file", config: { token_file_path: tokenFile } }] },
    api_proxy: { use_auto_auth_token: true },
    listener: [{ tcp: { address: `127.0.0.1:${port}`, tls_disable: true, require_request_header: true } }],
  });
  await writeFile(config, text);
  const child = spawn(await bringOpenBao(), ["agent", `-config=${config}`], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (piece: string) => (output += piece));
  t.after(() => child.kill("SIGKILL"));
  await eventually(() => {
    assert.equal(child.exitCode, null, `the agent ended:\n${output}`);
    assert.match(output, /authentication successful/, `the agent has not logged in:\n${output}`);
  }, 30_000);
  return `http://127.0.0.1:${port}`;
}
