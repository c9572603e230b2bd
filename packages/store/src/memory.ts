import type { Store } from "@heddle/model/store.ts";
import { CachedStore } from "./cached/cached-store.ts";
import { noLog } from "./cached/durable-log.ts";
import { KEEP_CHANGES, type StoreSettings } from "./settings.ts";

/** A store that forgets everything when the process ends: for tests, and for trying things out. */
export function openMemoryStore({ keepChanges = KEEP_CHANGES, now = () => new Date() }: StoreSettings = {}): Store {
  return new CachedStore({ log: noLog, resources: [], revision: 0, keepInMemory: keepChanges, now });
}
