import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import type { Group, Leaf } from "./command-tree.ts";
import { COMMANDS } from "./commands/index.ts";
import { plain } from "./output/paint.ts";
import { buildProgram, loadCommand } from "./program.ts";

const FOLDER = join(import.meta.dirname, "commands");
const silent = {
  print: () => {},
  printValue: () => {},
  note: () => {},
  paint: plain,
  paintNote: plain,
  width: undefined,
  isInteractive: false,
};
const CLI: Cli = {
  terminal: { ...silent, spinner: () => ({ update: () => {}, stop: () => {} }), ask: async () => "" },
  env: {},
  stdin: process.stdin,
  signal: new AbortController().signal,
  now: () => new Date(0),
};

/** Every word path of the tree: "", "get", "config control-planes add". */
function pathsOf(node: Group | Leaf, path: readonly string[] = []): readonly (readonly string[])[] {
  if ("load" in node) return [path];
  return [path, ...Object.entries(node.commands).flatMap(([name, child]) => pathsOf(child, [...path, name]))];
}

async function commandAt(path: readonly string[]): Promise<Command> {
  let command = buildProgram(CLI, "0");
  for (const word of path) {
    const child = command.commands.find((each) => each.name() === word);
    assert.ok(child, `no command ${path.join(" ")}`);
    await loadCommand(child, CLI);
    command = child;
  }
  return command;
}

/** The whole help as a user reads it: what is added after commander's own part goes through its output. */
async function helpOf(path: readonly string[]): Promise<string> {
  const command = await commandAt(path);
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

const PATHS = pathsOf(COMMANDS);

for (const path of PATHS) {
  test(`buildProgram(): help of "heddle ${path.join(" ")}" has an example of itself`, async () => {
    const help = await helpOf(path);
    const [, examples = ""] = help.split("Examples:\n");
    const lines = examples.split("\n").filter((line) => line.includes("heddle"));
    assert.ok(lines.length > 0, help);
    const isDefault = path.join(" ") === "inspect policy";
    assert.ok(
      lines.some((line) => line.includes(["heddle", ...(isDefault ? ["inspect"] : path)].join(" "))),
      examples,
    );
  });

  test(`buildProgram(): examples of "heddle ${path.join(" ")}" use commands and flags that exist`, async () => {
    const examples = (await helpOf(path)).split("Examples:\n")[1]?.split("\n\n")[0] ?? "";
    const lines = examples
      .split("\n")
      .flatMap((line) => /(?:^|[ (])heddle ([^|>)]*)/.exec(line.startsWith("  #") ? "" : line)?.[1] ?? []);
    for (const line of lines) await checkExample(line.trim().split(/\s+/));
  });
}

/** Parses an example as far as its flags: an unknown word or flag would fail in the user's terminal. */
async function checkExample(words: readonly string[]): Promise<void> {
  const known =
    PATHS.filter((path) => path.every((word, index) => words[index] === word)).toSorted(
      (a, b) => b.length - a.length,
    )[0] ?? [];
  const path = known.join(" ") === "inspect" ? ["inspect", "policy"] : known;
  assert.ok(path.length > 0, `heddle ${words.join(" ")}`);
  const command = await commandAt(path);
  const flags = words
    .slice(known.length)
    .filter((word) => /^--?[a-z]/i.test(word))
    .map((word) => word.split("=")[0]);
  for (const flag of flags) {
    const found = command.options.some((option) => option.long === flag || option.short === flag);
    assert.ok(found, `heddle ${words.join(" ")}: no flag ${flag}`);
  }
}

test("COMMANDS mirrors the folders: a file for each command, a command for each file", async () => {
  const leaves = PATHS.filter((path) => existsSync(join(FOLDER, `${path.join("/")}.ts`)));
  const files: string[] = [];
  for await (const file of glob("**/*.ts", { cwd: FOLDER })) {
    if (!file.endsWith(".test.ts") && file !== "index.ts") files.push(relative(".", file).replace(/\.ts$/, ""));
  }
  assert.deepEqual(leaves.map((path) => path.join("/")).toSorted(), files.toSorted());
});
