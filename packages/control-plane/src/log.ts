import { styleText } from "node:util";
import { terminalLine } from "@heddle/model/terminal-text.ts";
import { destination, pino } from "pino";
import type { Config } from "./config/settings.ts";

/** Where the control plane tells what it does. Fields never hold secrets. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, off: 100 } as const;

/** A log on standard error: lines for people on a terminal, JSON for machines. */
export function createLog({ logLevel, logFormat }: Pick<Config, "logLevel" | "logFormat">): Log {
  const forPeople = logFormat === "text" || (logFormat === "auto" && process.stderr.isTTY);
  if (forPeople) return textLog(LEVELS[logLevel], (line) => process.stderr.write(`${line}\n`));
  const lines = pino(
    { level: logLevel === "off" ? "silent" : logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination(2),
  );
  return {
    debug: (message, fields) => lines.debug(fields ?? {}, message),
    info: (message, fields) => lines.info(fields ?? {}, message),
    warn: (message, fields) => lines.warn(fields ?? {}, message),
    error: (message, fields) => lines.error(fields ?? {}, message),
  };
}

/** A log whose lines go to a function: for terminals, and for tests that read them. */
export function textLog(level: number, write: (line: string) => void): Log {
  const line =
    (rank: number, word: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (rank < level) return;
      const time = new Date().toISOString().slice(11, 23);
      // JSON leaves out what has no value, and so do people's lines.
      const rest = Object.entries(fields).flatMap(([key, value]) => {
        const text = typeof value === "string" ? value : (JSON.stringify(value) as string | undefined);
        return text === undefined ? [] : [`${key}=${terminalLine(text)}`];
      });
      write(
        `${styleText("dim", time)} ${word} ${terminalLine(message)}${rest.length === 0 ? "" : ` ${styleText("dim", rest.join(" "))}`}`,
      );
    };
  return {
    debug: line(LEVELS.debug, "debug"),
    info: line(LEVELS.info, "info "),
    warn: line(LEVELS.warn, styleText("yellow", "warn ")),
    error: line(LEVELS.error, styleText("red", "error")),
  };
}
