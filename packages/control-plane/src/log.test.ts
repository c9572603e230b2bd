import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { textLog } from "./log.ts";

test("textLog() writes fields behind the message, and none that has no value", () => {
  const lines: string[] = [];
  const log = textLog(0, (line) => lines.push(stripVTControlCharacters(line)));
  log.warn("proxy left", { mesh: "default", reason: undefined, streams: 2, names: ["a"], gone: null });
  assert.match(
    lines[0] ?? "",
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}proxy left mesh=default streams=2 names=\["a"\] gone=null$/,
  );
});
