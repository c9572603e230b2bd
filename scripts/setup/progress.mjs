const HEARTBEAT_MILLIS = 15_000;

/**
 * Tells a waiting person what is happening: a heading with the first step that has work, a line for each step that is
 * done, and a sign of life for those that take long. Where all is there, it says nothing.
 */
export class Progress {
  #started = performance.now();
  #begun = false;
  #write;

  /** @param {(line: string) => void} write */
  constructor(write) {
    this.#write = write;
  }

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(name, work) {
    this.#begin();
    const started = performance.now();
    const heartbeat = setInterval(() => this.#line("...", name, `${seconds(started)} so far`), HEARTBEAT_MILLIS);
    try {
      const result = await work();
      this.#line("done", name, seconds(started));
      return result;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** @param {number} pid of the process that is setting up the same clone */
  waiting(pid) {
    this.#write(`heddle: another set-up of this clone is running (process ${pid}); waiting for it`);
  }

  finish() {
    if (this.#begun) this.#write(`heddle: set up in ${seconds(this.#started)}\n`);
  }

  #begin() {
    if (!this.#begun) this.#write("heddle: setting up what is missing; this needs the network and happens once");
    this.#begun = true;
  }

  /**
   * @param {string} state
   * @param {string} name
   * @param {string} time
   */
  #line(state, name, time) {
    this.#write(`  ${state.padEnd(4)}  ${name.padEnd(44)} ${time}`);
  }
}

/** @param {number} since */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
