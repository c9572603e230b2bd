/**
 * A text as a terminal may show it: what would steer the terminal, or turn the reading direction around, becomes a
 * visible escape such as \u001b. Line ends, tabs and the styles that Heddle itself writes stay.
 */
export function terminalText(text: string): string {
  return text.replaceAll(STEERING, (whole, style: string | undefined) => style ?? escaped(whole));
}

/** The same on one line: nobody's text can look like a further line of a log. */
export function terminalLine(text: string): string {
  return terminalText(text).replaceAll(/[\n\t]/g, escaped);
}

// Bold, dim, red to cyan, and their ends; nothing that hides text. C0 and C1 controls, direction marks (Trojan Source).
const STEERING =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /(\u001b\[(?:0|1|2|22|3[1-6]|39)m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
