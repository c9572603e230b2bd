import { setTimeout as sleep } from "node:timers/promises";

/** Somewhere records are kept. Settles when they are; rejects when they are not, and is then tried again with the same. */
export interface Sink extends AsyncDisposable {
  /** What it is called in messages. */
  readonly name: string;
  /** Each line is a JSON object without the line's end. */
  write(lines: readonly string[]): Promise<void>;
}

export interface QueueOptions {
  readonly sink: Sink;
  /** Records that wait at most. */
  readonly size: number;
  readonly onProblem: (message: string, cause: unknown) => void;
  readonly now: () => Date;
  /** Between two tries, milliseconds; it grows to thirty times as much. */
  readonly retryMillis?: number;
}

interface Waiting {
  readonly line: string;
  readonly kept: () => void;
}

const BATCH = 500;
const LAST_CHANCE = 3_000;

/** Hands records to a sink in order, many at once while it is busy, and no more than it can keep for long. */
export class AuditQueue implements AsyncDisposable {
  readonly #options: QueueOptions;
  readonly #ending = new AbortController();
  #waiting: Waiting[] = [];
  #lost = 0;
  #running: Promise<void> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** How many records were lost and not yet told of in the log itself. */
  get lost(): number {
    return this.#lost;
  }

  /** Settles when the record is kept, at once when it is lost. */
  async push(line: string): Promise<void> {
    if (this.#waiting.length >= this.#options.size) {
      this.#lost += 1;
      if (this.#lost === 1) this.#report("records are lost: too many wait already", undefined);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ line, kept: resolve });
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    await promise;
  }

  async #run(): Promise<void> {
    const { sink, retryMillis = 1_000 } = this.#options;
    for (let failures = 0; this.#waiting.length > 0;) {
      const batch = this.#waiting.slice(0, BATCH);
      // Told where it happened: whoever reads the log sees that something is missing, and how much.
      const lost = this.#lost;
      const gap = lost === 0 ? [] : [JSON.stringify({ time: this.#options.now().toISOString(), lost })];
      try {
        await sink.write([...gap, ...batch.map(({ line }) => line)]);
        this.#lost -= lost;
        this.#waiting.splice(0, batch.length);
        for (const { kept } of batch) kept();
        failures = 0;
      } catch (cause) {
        if (failures === 0) this.#report("records wait and are tried again", cause);
        failures += 1;
        if (this.#ending.signal.aborted) return this.#giveUp();
        await sleep(retryMillis * Math.min(failures, 30), undefined, { signal: this.#ending.signal }).catch(() => {});
      }
    }
  }

  #giveUp(): void {
    const { length } = this.#waiting;
    for (const { kept } of this.#waiting.splice(0)) kept();
    this.#report(`${length} records are lost: the control plane stops`, undefined);
  }

  #report(state: string, cause: unknown): void {
    this.#options.onProblem(`Cannot keep the audit log in ${this.#options.sink.name}: ${state}`, cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.race([this.#running, sleep(LAST_CHANCE, undefined, { ref: false })]);
    await this.#options.sink[Symbol.asyncDispose]();
  }
}
