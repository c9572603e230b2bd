import assert from "node:assert/strict";
import { test } from "node:test";
import { styleText } from "node:util";
import fc from "fast-check";
import { terminalLine, terminalText } from "./terminal-text.ts";

const attacks: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["clearing the screen", "\u001b[2J\u001b[H", String.raw`\u001b[2J\u001b[H`],
  ["the title of the window", "\u001b]0;owned\u0007", String.raw`\u001b]0;owned\u0007`],
  ["the clipboard", "\u001b]52;c;cm0gLXJm\u001b\\", String.raw`\u001b]52;c;cm0gLXJm\u001b` + "\\"],
  ["invisible text", "\u001b[8mhidden\u001b[28m", String.raw`\u001b[8mhidden\u001b[28m`],
  ["writing over the line", "denied\rallowed", String.raw`denied\u000dallowed`],
  ["taking back characters", "no\b\byes", String.raw`no\u0008\u0008yes`],
  ["eight-bit controls", "\u009b2J", String.raw`\u009b2J`],
  ["turned text", "user\u202egnp.exe", String.raw`user\u202egnp.exe`],
];

for (const [what, text, shown] of attacks) {
  test(`terminalText() shows ${what} instead of doing it`, () => assert.equal(terminalText(text), shown));
}

test("terminalText() leaves words, lines and Heddle's own styles alone", () => {
  const text = `${styleText("red", "NACK", { validateStream: false })} Zoë\tsagt → 日本語\n${styleText("bold", "x", { validateStream: false })}`;
  assert.equal(terminalText(text), text);
});

test("terminalLine() keeps any text on one line without controls", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = terminalLine(text).replaceAll(/\u001b\[\d+m/g, "");
      assert.doesNotMatch(line, /\p{Cc}/u);
    }),
  );
});
