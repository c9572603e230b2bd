import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const SOURCE = join(import.meta.dirname, "shifted-clock.c");
const COMPILERS = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"];

/** Why machines with a wrong clock cannot be had here; false when they can. */
export function withoutShiftedClock(): string | false {
  if (process.platform === "linux" && compiler() !== undefined) return false;
  return "needs Linux and a C compiler, for a library that shifts the clock of a process (apt install gcc)";
}

/** Environment variables that give a process, and those it starts, a clock that is so many seconds off. */
export async function shiftedClock(folder: string, seconds: number): Promise<Readonly<Record<string, string>>> {
  const library = join(folder, "shifted-clock.so");
  if (!existsSync(library)) await promisify(execFile)(compiler() ?? "cc", ["-shared", "-fPIC", "-o", library, SOURCE]);
  return { LD_PRELOAD: library, SHIFT: String(seconds) };
}

function compiler(): string | undefined {
  return COMPILERS.find((path) => existsSync(path));
}
