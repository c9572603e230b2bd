import { setImmediate as endOfTurn } from "node:timers/promises";
import type { Resource } from "@heddle/model/resource.ts";
import type { StoreEvent, WriteOptions } from "@heddle/model/store.ts";
import { decide, type Ground, type Intent, type Outcome } from "./decide.ts";
import type { Commit, LogRecord } from "./durable-log.ts";

/** More writes than this become several batches, so that no transaction keeps the others waiting for long. */
const BATCH_LIMIT = 1_000;

/** What a queue of writes needs from its store. */
export interface WriteQueuePorts {
  /** The committed state, read when a batch is about to be decided. */
  readonly ground: () => Ground;
  readonly commit: (batch: Commit) => Promise<void>;
  /** Makes committed events visible; called before any of their writers hears about it. */
  readonly apply: (events: readonly StoreEvent[]) => void;
}

interface Waiting {
  readonly intent: Intent;
  readonly durability: "full" | "relaxed";
  readonly resolve: (resource: Resource) => void;
  readonly reject: (error: unknown) => void;
}

type Accepted = Extract<Outcome, { accepted: true }>;

/**
 * Commits writes in the order they came, one batch at a time: what arrives in one turn of the event loop, or while the
 * batch before is being committed, goes together. A batch is decided only when it is its turn, on committed state.
 */
export class WriteQueue {
  readonly #ports: WriteQueuePorts;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;

  constructor(ports: WriteQueuePorts) {
    this.#ports = ports;
  }

  /** Resolves with the resource as put, or as it was when deleted, once that is committed and visible. */
  add(intent: Intent, { durability = "full" }: WriteOptions = {}): Promise<Resource> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ intent, durability, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await endOfTurn();
      await this.#commit(this.#waiting.splice(0, BATCH_LIMIT));
    }
    this.#draining = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const intents = batch.map((waiting) => waiting.intent);
      const outcomes = decide(intents, this.#ports.ground());
      const accepted = outcomes.filter((outcome) => outcome.accepted);
      if (accepted.length > 0) {
        await this.#ports.commit({ durability: strongest(batch), records: accepted.map(recordOf) });
        this.#ports.apply(accepted.map((outcome) => outcome.event));
      }
      batch.forEach((waiting, index) => settle(waiting, outcomes[index]));
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }
}

function strongest(batch: readonly Waiting[]): Commit["durability"] {
  return batch.some((waiting) => waiting.durability === "full") ? "full" : "relaxed";
}

function recordOf({ event, json }: Accepted): LogRecord {
  const { change, revision, resource } = event;
  const { type, mesh, name, creationTime, modificationTime } = resource;
  return { change, revision, type, mesh, name, creationTime, modificationTime, json };
}

function settle(waiting: Waiting, outcome: Outcome | undefined): void {
  if (outcome?.accepted) waiting.resolve(outcome.event.resource);
  else waiting.reject(outcome?.error);
}
