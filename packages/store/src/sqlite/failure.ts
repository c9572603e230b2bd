import { StoreError } from "@heddle/model/store.ts";

/** What SQLite's primary result codes mean for somebody who runs a control plane: https://www.sqlite.org/rescode.html */
const ADVICE: Readonly<Record<number, string>> = {
  5: "another program has locked it; end the backup, or the SQLite shell, that works on it",
  6: "another program has locked it; end the backup, or the SQLite shell, that works on it",
  8: "it is read-only; allow this user to write to it and to its folder",
  10: "the disk reports an error; check the disk, its quota and the system's log",
  11: "it is damaged; restore it from a backup, or move it away to begin with an empty store",
  13: "the disk is full; free some space, writing then goes on by itself",
  14: "it cannot be opened; check that its folder exists and belongs to this user",
  19: "another program has written to it; restart the control plane, and leave the writing to it",
  26: "it is not a database; restore it from a backup, or move it away to begin with an empty store",
};

const SYSTEM_ADVICE: Readonly<Record<string, string>> = {
  EACCES: "this user may not; give it the folder, or choose another folder",
  EPERM: "this user may not; give it the folder, or choose another folder",
  EROFS: "the file system is read-only; choose another folder",
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EEXIST: "a part of its path is a file, not a folder; choose another folder",
  ENOTDIR: "a part of its path is a file, not a folder; choose another folder",
};

/** Turns whatever went wrong with the file into a StoreError that says what to do; `verb` as in "open", "write to". */
export function unavailable(verb: string, file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const state = adviceFor(error) ?? "an unexpected failure; restart the control plane, and report it if it comes back";
  const words = error instanceof Error ? error.message : String(error);
  return new StoreError("unavailable", `Cannot ${verb} store "${file}": ${state} (${words})`, { cause: error });
}

function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return ADVICE[error.errcode & 0xff];
  // Only the content of a row is parsed, and only this store writes rows.
  if (error instanceof SyntaxError) return ADVICE[11];
  return "code" in error ? SYSTEM_ADVICE[String(error.code)] : undefined;
}
