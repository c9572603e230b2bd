import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Files are written in several steps; what they hold is read once these are over, in milliseconds. */
const SETTLE = 100;

/** Tells who has to look again when a file changes. Folders are watched, so that a file may be replaced or not be there yet. */
export class FileWatch {
  readonly #onChange: (owner: string) => void;
  readonly #folders = new Map<string, { readonly watcher: FSWatcher; readonly files: Map<string, Set<string>> }>();
  readonly #due = new Map<string, NodeJS.Timeout>();

  constructor(onChange: (owner: string) => void) {
    this.#onChange = onChange;
  }

  add(owner: string, path: string): void {
    const files = this.#folder(dirname(path));
    if (files !== undefined) files.set(basename(path), (files.get(basename(path)) ?? new Set()).add(owner));
  }

  stop(): void {
    for (const { watcher } of this.#folders.values()) watcher.close();
    for (const timer of this.#due.values()) clearTimeout(timer);
  }

  /** Undefined for a folder that is not there: then the next write of the mesh looks again. */
  #folder(path: string): Map<string, Set<string>> | undefined {
    const known = this.#folders.get(path);
    if (known !== undefined) return known.files;
    const files = new Map<string, Set<string>>();
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => this.#changed(files, name));
      watcher.on("error", () => {
        watcher.close();
        this.#folders.delete(path);
      });
      this.#folders.set(path, { watcher, files });
      return files;
    } catch {
      return undefined;
    }
  }

  #changed(files: ReadonlyMap<string, ReadonlySet<string>>, name: string | null): void {
    // Kubernetes replaces the files of a Secret by turning the link "..data", so that their own names do not change.
    const all = name === null || name.startsWith("..");
    const owners = all ? [...files.values()].flatMap((each) => [...each]) : [...(files.get(name) ?? [])];
    for (const owner of new Set(owners)) {
      clearTimeout(this.#due.get(owner));
      this.#due.set(owner, setTimeout(() => this.#onChange(owner), SETTLE).unref());
    }
  }
}
