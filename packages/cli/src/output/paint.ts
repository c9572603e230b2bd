import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Colours a text, or gives it back as it is where colours are off. */
export type Paint = (style: Style, text: string) => string;

/** When colours are used: "auto" means on a terminal that shows them, unless NO_COLOR says otherwise. */
export const COLOR_MODES = ["auto", "always", "never"] as const;
export type ColorMode = (typeof COLOR_MODES)[number];

/** The painter for one stream. https://no-color.org: any value of NO_COLOR but the empty one turns colours off. */
export function paintFor(mode: ColorMode, stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  return wantsColor(mode, stream.isTTY === true, env) ? colored : plain;
}

/** Leaves every text as it is. */
export function plain(_style: Style, text: string): string {
  return text;
}

/** Colours every text with the terminal's escape sequences. */
export function colored(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

function wantsColor(mode: ColorMode, isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (mode !== "auto") return mode === "always";
  return isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
