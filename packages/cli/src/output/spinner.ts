/** A line that says what is being waited for. */
export interface Spinner {
  readonly update: (text: string) => void;
  /** Takes the line away. */
  readonly stop: () => void;
}

const DOTS = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
const STROKES = [...String.raw`|/-\ `.trimEnd()];
const FRAME_MILLIS = 100;
const CLEAR_LINE = "\r\u001b[K";

/** Starts a spinner; on anything but a terminal nothing is written, so that logs hold results alone. */
export function spinnerOn(stream: NodeJS.WriteStream, first: string, env: NodeJS.ProcessEnv): Spinner {
  if (!stream.isTTY || env["TERM"] === "dumb") return { update: () => {}, stop: () => {} };
  const frames = speaksUnicode(env) ? DOTS : STROKES;
  let text = first;
  let turn = 0;
  const draw = (): void => void stream.write(`${CLEAR_LINE}${frames[turn++ % frames.length]} ${text}`);
  draw();
  const timer = setInterval(draw, FRAME_MILLIS);
  timer.unref();
  return {
    update: (next) => {
      text = next;
      draw();
    },
    stop: () => {
      clearInterval(timer);
      stream.write(CLEAR_LINE);
    },
  };
}

function speaksUnicode(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "");
}
