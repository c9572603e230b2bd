import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { CliError } from "../cli-error.ts";

/** Text that holds documents, and how messages call the place it came from. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export interface SourceOptions {
  readonly stdin: NodeJS.ReadableStream;
  readonly signal: AbortSignal;
}

const DOCUMENT_FILE = /\.(ya?ml|json)$/;
const LONGEST_WAIT_MILLIS = 60_000;

/** Reads what a `-f` names: "-" for standard input, a URL, a file, or a folder with its YAML and JSON files in order. */
export async function readSources(place: string, options: SourceOptions): Promise<readonly Source[]> {
  if (place === "-") return [{ name: "standard input", text: await readAll(options.stdin) }];
  if (/^https?:\/\//.test(place)) return [await readUrl(place, options.signal)];
  const kind = await stat(place).catch((cause: unknown) => {
    throw unreadable(place, cause);
  });
  return kind.isDirectory() ? readFolder(place) : [await readOne(place)];
}

async function readFolder(folder: string): Promise<readonly Source[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory() && DOCUMENT_FILE.test(entry.name))
    .map(({ name }) => name);
  if (names.length > 0) return Promise.all(names.toSorted().map((name) => readOne(join(folder, name))));
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  throw new CliError(`Cannot read the folder "${folder}": it holds no .yaml, .yml or .json file`, {
    next:
      folders.length === 0
        ? []
        : [`Folders in it are not entered; name them: ${folders.map((each) => `-f ${each}`).join(" ")}`],
  });
}

async function readOne(path: string): Promise<Source> {
  try {
    return { name: path, text: await readFile(path, "utf8") };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CliError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const state = code === "ENOENT" ? "there is no such file or folder" : message;
  return new CliError(`Cannot read "${path}": ${state}`, { cause });
}

async function readUrl(url: string, signal: AbortSignal): Promise<Source> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MILLIS)]);
  const response = await fetch(url, { signal: patience }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const { message, cause: deeper } = cause as Error;
    const state = deeper instanceof Error && deeper.message !== "" ? deeper.message : message;
    throw new CliError(`Cannot read "${url}": ${state}`, { cause });
  });
  if (!response.ok) throw new CliError(`Cannot read "${url}": the server answers with status ${response.status}`);
  return { name: url, text: await response.text() };
}
