import { readFile } from "node:fs/promises";
import { type DataSource, dataSourceMeaning } from "@heddle/model/data-source.ts";
import type { Secrets } from "../secrets.ts";
import { FileWatch } from "./file-watch.ts";

/** Reads what operators point to, and remembers who read what, so that a change reaches them. */
export class SourceReader {
  readonly #secrets: Pick<Secrets, "read">;
  readonly #used = new Map<string, Set<string>>();
  readonly #files: FileWatch;

  /** `onFileChange` is told of a mesh for which a file was read that has changed since. */
  constructor(secrets: Pick<Secrets, "read">, onFileChange: (mesh: string) => void) {
    this.#secrets = secrets;
    this.#files = new FileWatch(onFileChange);
  }

  /** Whether something of the mesh was made of this Secret. */
  uses(mesh: string, secret: string): boolean {
    return this.#used.get(mesh)?.has(secret) ?? false;
  }

  /** The text of a source; throws with the field and the fix. */
  async read(mesh: string, source: DataSource, field: string): Promise<string> {
    const meaning = dataSourceMeaning(source);
    switch (meaning.from) {
      case "text":
        return meaning.text;
      case "secret":
        this.#used.set(mesh, (this.#used.get(mesh) ?? new Set()).add(meaning.name));
        return (
          (await this.#secrets.read(mesh, meaning.name)) ??
          missing(`${field}.secret`, `Secret "${meaning.name}" of mesh "${mesh}" does not exist; apply it`)
        );
      case "file":
        this.#files.add(mesh, meaning.path);
        return await readFile(meaning.path, "utf8").catch((cause: unknown) =>
          missing(`${field}.file`, `the control plane cannot read "${meaning.path}" (${codeOf(cause)}); put it there`),
        );
    }
  }

  stop(): void {
    this.#files.stop();
  }
}

/** A source that cannot be read now. */
export class SourceMissing extends Error {
  override readonly name = "SourceMissing";
  readonly field: string;
  readonly state: string;

  constructor(field: string, state: string) {
    super(`${field}: ${state}`);
    this.field = field;
    this.state = state;
  }
}

function missing(field: string, state: string): never {
  throw new SourceMissing(field, state);
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
