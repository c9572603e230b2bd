import { UsageError } from "../cli-error.ts";
import type { Variables } from "./template.ts";

/** Reads one `-v key=value` (several in one are separated by commas, as kumactl has it) into what was read before. */
export function addVariable(raw: string, before: Variables = {}): Variables {
  const pairs = raw.split(/,(?=[A-Za-z_][-\w.]*=)/).map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`Cannot read variable "${pair}": it must be written as key=value`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

/** Takes one `-f` of several. */
export function addPlace(place: string, before: readonly string[] = []): readonly string[] {
  return [...before, place];
}
