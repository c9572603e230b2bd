import type { DeltaRequest, DeltaResponse } from "../events.ts";

/** What a subscriber inside Envoy does with a response; gives back the refusal's text, or nothing. */
export type Receiver = (response: DeltaResponse) => string | undefined;

/** How Envoy's delta mux behaves for one type: interest, versions, and the queue of acknowledgements. */
export class MuxType {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** How many users each name has: a name is asked for with the first and dropped with the last. */
  readonly users = new Map<string, number>();
  /** Versions of what was accepted; told to the server after a reconnect. */
  readonly versions = new Map<string, string>();
  /** While true, nothing of this type is sent, ACKs included. */
  isPaused: () => boolean = () => false;
  #added = new Set<string>();
  #dropped = new Set<string>();
  #answers: { readonly nonce: string; readonly error: string | undefined }[] = [];
  #isFirst = true;
  readonly #receive: Receiver;

  constructor(typeUrl: string, wildcard: boolean, receive: Receiver) {
    this.typeUrl = typeUrl;
    this.wildcard = wildcard;
    this.#receive = receive;
  }

  watch(name: string): void {
    const users = this.users.get(name) ?? 0;
    this.users.set(name, users + 1);
    // A name that has a user already is not asked for again: why a server must not forget to send endpoints anew.
    if (users > 0) return;
    this.#dropped.delete(name);
    this.#added.add(name);
  }

  unwatch(name: string): void {
    const users = this.users.get(name) ?? 0;
    if (users > 1) return void this.users.set(name, users - 1);
    this.users.delete(name);
    this.versions.delete(name);
    this.#added.delete(name);
    this.#dropped.add(name);
  }

  /** True when the response was accepted. */
  receive(response: DeltaResponse): boolean {
    const error = this.#receive(response);
    this.#answers.push({ nonce: response.nonce, error });
    if (error !== undefined) return false;
    for (const { name, version } of response.resources) {
      if (this.wildcard || this.users.has(name)) this.versions.set(name, version);
    }
    for (const name of response.removed) this.versions.delete(name);
    return true;
  }

  reconnect(): void {
    this.#isFirst = true;
    this.#answers = [];
  }

  /** The next request, if there is anything to say and it may be said. */
  next(): DeltaRequest | undefined {
    if (this.#isFirst && !this.wildcard && this.users.size === 0) return undefined;
    const hasNews = this.#isFirst || this.#added.size > 0 || this.#dropped.size > 0;
    if (this.isPaused() || (this.#answers.length === 0 && !hasNews)) return undefined;
    const answer = this.#answers.shift();
    const request: DeltaRequest = {
      typeUrl: this.typeUrl,
      subscribe: this.#isFirst ? [...this.users.keys()] : [...this.#added],
      unsubscribe: this.#isFirst ? [] : [...this.#dropped],
      initialVersions: this.#isFirst ? Object.fromEntries(this.versions) : {},
      nonce: answer?.nonce ?? "",
      error: answer?.error,
    };
    this.#isFirst = false;
    this.#added = new Set();
    this.#dropped = new Set();
    return request;
  }
}
