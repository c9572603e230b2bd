import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startFake, type Script } from "../testkit/fake-control-plane.ts";
import { folderWith } from "../testkit/run-heddle.ts";
import { runHere } from "../testkit/run-line.ts";

const SCRIPT: Script = {
  "GET /meshes/default/meshtimeouts": {
    body: { total: 2, items: [{ name: "slow" }, { name: "sluggish" }, { name: "fast" }] },
  },
  "GET /meshes/default/dataplanes": { body: { total: 1, items: [{ name: "web-1" }] } },
  "GET /meshes/default/meshidentities": { body: { total: 1, items: [{ name: "everybody" }] } },
  "GET /meshes/default": { body: { name: "default", mtls: { backends: [{ name: "ca-1" }, { name: "vault-1" }] } } },
  "GET /meshes/prod/dataplanes": { body: { total: 1, items: [{ name: "prod-web" }] } },
};

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  await using fake = await startFake(SCRIPT);
  const { stdout } = await runHere(["complete", "--", ...words], { env: { HEDDLE_ADDRESS: fake.address } });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t")[0] ?? "");
}

const lines = [
  [["ge"], ["get", "generate"]],
  [
    ["inspect", "dataplane"],
    ["dataplanes", "dataplane"],
  ],
  [
    ["config", "control-planes", ""],
    ["add", "list", "switch", "remove"],
  ],
  [["get", "meshs"], ["meshservices"]],
  [
    ["get", "mt", "sl"],
    ["slow", "sluggish"],
  ],
  [["get", "mt", "slow", "--al"], ["--all-meshes"]],
  [
    ["get", "mt", "-o", ""],
    ["table", "wide", "yaml", "json", "name"],
  ],
  [["inspect", "meshtimeout", "fa"], ["fast"]],
  [["inspect", "dataplane", "-m", "prod", ""], ["prod-web"]],
  [["inspect", "access", "--from", "we"], ["web-1"]],
  [["apply", "-f", ""], [":files"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["dp", "run", "--dataplane-f"], ["--dataplane-file"]],
  [
    ["rotate", ""],
    ["ca", "encryption-key"],
  ],
  [
    ["inspect", "a"],
    ["access", "authorities"],
  ],
  [["inspect", "ce"], ["certificates"]],
  [["rotate", "ca", "--st"], ["--status"]],
  [
    ["rotate", "ca", "--to", ""],
    ["ca-1", "vault-1"],
  ],
  [["rotate", "ca", "--identity", ""], ["everybody"]],
  [["rotate", "encryption-key", "--encryption-key-file", ""], [":files"]],
  [["unknown", "x"], []],
] as const;
for (const [words, expected] of lines) {
  test(`complete offers ${expected.join(", ") || "nothing"} for: heddle ${words.join(" ")}`, async () => {
    assert.deepEqual(await complete(...words), expected);
  });
}

test("complete offers commands without a control plane, and nothing where names are wanted", async () => {
  const env = { HEDDLE_ADDRESS: "http://127.0.0.1:1" };
  assert.match((await runHere(["complete", "--", "ap"], { env })).stdout, /^apply\t/);
  const names = await runHere(["complete", "--", "get", "mt", ""], { env });
  assert.deepEqual([names.code, names.stdout, names.stderr], [0, "", ""]);
});

test("completion bash makes bash complete commands, names and files", async () => {
  await using fake = await startFake(SCRIPT);
  await using folder = await folderWith({ "my policy.yaml": "", "other.txt": "" });
  const bin = join(folder.path, "heddle");
  await writeFile(bin, `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "../main.ts")}" "$@"\n`);
  await chmod(bin, 0o755);
  // Twice, as a login shell inside another does.
  const script = `
    source <(heddle completion bash); source <(heddle completion bash)
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _heddle; printf '%s|' "\${COMPREPLY[@]}"; echo; }
    try heddle insp; try heddle get mt sl; try heddle apply -f my`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["--noprofile", "--norc", "-c", script], {
    cwd: folder.path,
    env: { PATH: `${folder.path}:${process.env["PATH"]}`, HOME: "/nonexistent", HEDDLE_ADDRESS: fake.address },
  });
  assert.deepEqual([stdout, stderr], ["inspect|\nslow|sluggish|\nmy policy.yaml|\n", ""]);
});
