/** Where something comes from that may change while the control plane runs. */
export interface LiveSource<Value> {
  /** For messages: "the certificate of dpServer.tlsCertFile". */
  readonly what: string;
  /** Files that say when to look again. */
  readonly files: readonly string[];
  /** Reads and checks it. Throws an Error that says what is wrong and what to do. */
  readonly read: (now: Date, current: Value | undefined) => Promise<Value>;
}

export interface LiveEvents {
  readonly onTaken: (what: string) => void;
  readonly onProblem: (what: string, problem: string) => void;
}

/** A value that follows its source. What cannot be used never takes the place of what could. */
export class Live<Value extends object> {
  readonly source: LiveSource<Value>;
  readonly #events: LiveEvents;
  readonly #listeners: (() => void)[] = [];
  #value: Value;
  #problem: string | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(source: LiveSource<Value>, value: Value, events: LiveEvents) {
    this.source = source;
    this.#value = value;
    this.#events = events;
  }

  /** Throws when there is nothing usable to begin with. */
  static async open<Value extends object>(
    source: LiveSource<Value>,
    now: Date,
    events: LiveEvents,
  ): Promise<Live<Value>> {
    return new Live(source, await source.read(now, undefined), events);
  }

  get value(): Value {
    return this.#value;
  }

  /** Why what is there now cannot be used; the value is then an earlier one. */
  get problem(): string | undefined {
    return this.#problem;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Looks at the source. Calls come one after the other: an older look never overwrites a newer one. */
  refresh(now: Date): Promise<void> {
    this.#last = this.#last.then(() => this.#look(now));
    return this.#last;
  }

  async #look(now: Date): Promise<void> {
    const { what, read } = this.source;
    try {
      const value = await read(now, this.#value);
      this.#problem = undefined;
      if (JSON.stringify(value) === JSON.stringify(this.#value)) return;
      this.#value = value;
      for (const listener of this.#listeners) listener();
      this.#events.onTaken(what);
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== this.#problem) this.#events.onProblem(what, problem);
      this.#problem = problem;
    }
  }
}
