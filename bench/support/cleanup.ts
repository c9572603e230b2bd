/** Remembers what to end, and ends it in the reverse order. Takes the place of a test's context. */
export class Cleanup implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  after(end: () => unknown): void {
    this.#ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  }
}
