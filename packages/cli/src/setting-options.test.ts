import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addSettings } from "./setting-options.ts";

const SETTINGS = [
  {
    name: "cpAddress",
    flag: "--cp-address",
    takes: "<url>",
    description: "Where it is",
    defaultText: "http://x",
    env: ["HEDDLE_URL", "KUMA_URL"],
  },
  { name: "storeType", flag: "--store", takes: "<type>", description: "Where resources are kept", env: [] },
  {
    name: "vars",
    flag: "--dataplane-var",
    short: "-v",
    takes: "<k=v>",
    repeatable: true,
    description: "Values",
    env: [],
  },
  { name: "skipVerify", flag: "--skip-verify", description: "Trust anybody", env: [] },
  { name: "onlyInEnvironment", description: "No flag", env: ["HEDDLE_Z"] },
];

test("addSettings() gives what was typed by the names of the settings, and nothing that was not typed", () => {
  const command = new Command();
  const read = addSettings(command, SETTINGS);
  command.parse(["--store", "memory", "-v", "a=1", "-v", "b=2", "--skip-verify"], { from: "user" });
  assert.deepEqual(read(), { storeType: "memory", vars: ["a=1", "b=2"], skipVerify: true });
});

test("addSettings() tells default and variable in the help", () => {
  const command = new Command();
  addSettings(command, SETTINGS);
  assert.match(command.helpInformation(), /Where it is \(default: http:\/\/x; HEDDLE_URL\)/);
});
