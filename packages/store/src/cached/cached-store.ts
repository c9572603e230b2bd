import { keyText, type NewResource, type Resource, type ResourceKey } from "@heddle/model/resource.ts";
import { StoreError, type ListQuery, type Page, type Store } from "@heddle/model/store.ts";
import type { StoreEvent, WriteOptions } from "@heddle/model/store.ts";
import { Bell } from "./bell.ts";
import { draftOf } from "./draft.ts";
import type { DurableLog } from "./durable-log.ts";
import { History, type Batch } from "./history.ts";
import { pageOf } from "./page.ts";
import { Tables } from "./tables.ts";
import { WriteQueue } from "./write-queue.ts";

/** What a cached store begins with. */
export interface CachedStoreParts {
  readonly log: DurableLog;
  readonly resources: Iterable<Resource>;
  readonly revision: number;
  /** About how many changes to remember in memory for readers that lag behind. */
  readonly keepInMemory: number;
  readonly now: () => Date;
}

/**
 * A store whose readers never wait: all committed resources are in memory, a durable log is behind it. Memory changes
 * only after the log has accepted a batch, so a reader never sees what a crash could take back, and a log that fails
 * leaves memory as it was.
 */
export class CachedStore implements Store {
  readonly #log: DurableLog;
  readonly #tables = new Tables();
  readonly #history: History;
  readonly #bell = new Bell();
  readonly #writes: WriteQueue;
  #closed: Promise<void> | undefined;

  constructor({ log, resources, revision, keepInMemory, now }: CachedStoreParts) {
    this.#log = log;
    this.#history = new History(revision, keepInMemory);
    for (const resource of resources) this.#tables.put(resource);
    this.#writes = new WriteQueue({
      commit: (batch) => log.commit(batch),
      apply: (events) => this.#apply(events),
      ground: () => ({
        current: (key) => this.#tables.get(key),
        revision: this.#history.revision,
        now: now().toISOString(),
      }),
    });
  }

  async create(resource: NewResource, options?: WriteOptions): Promise<Resource> {
    this.#assertOpen("create", keyText(resource));
    return this.#writes.add({ do: "create", draft: draftOf(resource) }, options);
  }

  async update(resource: NewResource, expectedVersion: number, options?: WriteOptions): Promise<Resource> {
    this.#assertOpen("update", keyText(resource));
    return this.#writes.add({ do: "update", draft: draftOf(resource), expectedVersion }, options);
  }

  async delete({ type, mesh, name }: ResourceKey, expectedVersion?: number): Promise<Resource> {
    this.#assertOpen("delete", keyText({ type, mesh, name }));
    return this.#writes.add({ do: "delete", key: { type, mesh, name }, expectedVersion });
  }

  async get(key: ResourceKey): Promise<Resource | undefined> {
    this.#assertOpen("get", keyText(key));
    return this.#tables.get(key);
  }

  async list(query: ListQuery): Promise<Page> {
    this.#assertOpen("list", query.type);
    return pageOf(this.#tables.list(query.type, query.mesh), query);
  }

  async revision(): Promise<number> {
    this.#assertOpen("read", "revision");
    return this.#history.revision;
  }

  /** Not a generator itself: "from now on" means from this call, not from the first time a batch is asked for. */
  watch(options: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly StoreEvent[], void> {
    const { after = this.#history.revision, signal } = options;
    return this.#follow(after, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async *#follow(after: number, signal: AbortSignal): AsyncGenerator<readonly StoreEvent[], void> {
    let seen = after;
    while (!signal.aborted && this.#closed === undefined) {
      const step = this.#history.after(seen);
      if (step.state === "caught up") {
        await this.#bell.wait(signal);
        continue;
      }
      if (step.state === "unknown") throw expired(seen, `the newest revision is ${this.#history.revision}`);
      const batch = step.state === "batch" ? step.batch : await this.#readLog(seen);
      seen = batch.revision;
      if (batch.events.length > 0 && !signal.aborted) yield batch.events;
    }
  }

  async #readLog(after: number): Promise<Batch> {
    const batch = await this.#log.read(after);
    if (batch === undefined) throw expired(after, "changes that old are forgotten");
    return batch;
  }

  #apply(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.change === "put") this.#tables.put(event.resource);
      else this.#tables.remove(event.resource);
    }
    this.#history.append(events);
    this.#bell.ring();
  }

  async #close(): Promise<void> {
    await this.#writes.idle();
    this.#bell.ring();
    await this.#log.close();
  }

  #assertOpen(verb: string, thing: string): void {
    if (this.#closed === undefined) return;
    throw new StoreError("unavailable", `Cannot ${verb} "${thing}": the store is closed; open it again`);
  }
}

function expired(after: number, state: string): StoreError {
  const next = "list the resources again and watch from there";
  return new StoreError("expired", `Cannot watch from revision "${after}": ${state}; ${next}`);
}
