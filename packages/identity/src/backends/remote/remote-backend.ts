import type { CertificateRequest, IssuedCertificate } from "../../leaf.ts";
import { anchorsOf } from "../../trusted-roots.ts";
import { type BackendEvents, type BackendState, BackendUnavailable, type CaBackend } from "../backend.ts";
import { AuthorityFailure } from "./authority-failure.ts";
import { backOff } from "./back-off.ts";
import { BoundedQueue } from "./bounded-queue.ts";
import type { RemoteAuthority } from "./remote-authority.ts";

/** More proxies than one control plane is made for. */
const MOST_WAITING = 10_000;

/** What a backend somewhere else needs beside its settings. */
export interface RemoteOptions extends BackendEvents {
  /** 0 to 1, for waits that shall not be the same everywhere. */
  readonly chance?: () => number;
}

/** Makes an authority; `onLost` takes a failure between two requests, such as a token that could not be renewed. */
export type MakeAuthority = (onLost: (error: unknown) => void) => RemoteAuthority;

/** A backend over an authority somewhere else. It begins to connect at once; `onChange` tells when the roots are known. */
export function openRemote(make: MakeAuthority, options: RemoteOptions): CaBackend {
  return new RemoteBackend(make, options);
}

/**
 * While the authority can be reached requests go to it, a few at a time. When it fails, all that wait fail at once, and
 * nothing is sent but one probe, again and again with growing pauses: the authority's chain, and the request that failed.
 * After that one request goes first: only when a certificate was issued, the others follow and the pauses begin anew.
 */
class RemoteBackend implements CaBackend {
  state: BackendState = { state: "starting" };
  roots: readonly string[] = [];
  issuer: string | undefined;
  readonly #authority: RemoteAuthority;
  readonly #options: RemoteOptions;
  readonly #queue = new BoundedQueue(1, MOST_WAITING);
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The request that failed last: part of the probe, for nobody tells when a role or a policy was changed. */
  #failed: CertificateRequest | undefined;
  /** Ends of the chains of what was issued last; it may have another issuer than the one that is told of. */
  #anchors: readonly string[] = [];
  #isClosed = false;

  constructor(make: MakeAuthority, options: RemoteOptions) {
    this.#options = options;
    this.#authority = make((error) => this.#fail(error));
    void this.#probe();
  }

  async issue(request: CertificateRequest): Promise<IssuedCertificate> {
    if (this.#isClosed || this.state.state === "down") throw this.#unavailable();
    try {
      return await this.#queue.run(() => this.#issueOrNote(request));
    } catch (error) {
      throw this.#stateNow() === "down" ? this.#unavailable(error) : error;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#queue.clear(this.#unavailable());
    this.#authority.close();
  }

  /** Notes a failure before the next one in the queue has its turn, so that it is not sent. */
  async #issueOrNote(request: CertificateRequest): Promise<IssuedCertificate> {
    if (this.#stateNow() === "down") throw this.#unavailable();
    try {
      return await this.#issueNow(request);
    } catch (error) {
      if (error instanceof AuthorityFailure) this.#note(error, request);
      throw error;
    }
  }

  async #issueNow(request: CertificateRequest): Promise<IssuedCertificate> {
    const { issued, chain } = await this.#authority.issue(request);
    await this.#meet(anchorsOf(chain));
    this.issuer = chain[0];
    this.#failures = 0;
    this.#queue.width = this.#authority.mostAtOnce;
    return issued;
  }

  /** A certificate of a root that proxies do not trust yet must not reach anybody: they learn of the root first. */
  async #meet(anchors: readonly string[]): Promise<void> {
    if (anchors.every((each) => this.roots.includes(each))) return;
    this.#anchors = anchors;
    await this.#readRoots();
    this.#options.onChange();
    throw new BackendUnavailable("the certificate authority has a new root; proxies get to know it first");
  }

  #note(error: AuthorityFailure, request: CertificateRequest): void {
    this.#failed = request;
    if (error.kind === "refused") this.#schedule();
    else this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const reason = error instanceof Error ? error.message : String(error);
    const since = this.state.state === "down" ? this.state.since : this.#options.now();
    const isNews = this.state.state !== "down" || this.state.reason !== reason;
    this.state = { state: "down", reason, since };
    this.#queue.width = 1;
    this.#queue.clear(this.#unavailable());
    this.#schedule();
    if (isNews) this.#options.onChange();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const { chance = Math.random } = this.#options;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#probe();
      },
      backOff(this.#failures, chance()),
    ).unref();
    this.#failures += 1;
  }

  async #probe(): Promise<void> {
    try {
      await this.#readRoots();
      if (this.#failed !== undefined) await this.#tryAgain(this.#failed);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#isClosed || this.state.state === "ready") return;
    this.state = { state: "ready" };
    this.#options.onChange();
  }

  async #tryAgain(request: CertificateRequest): Promise<void> {
    try {
      await this.#authority.issue({ ...request, now: this.#options.now() });
    } catch (error) {
      if (!(error instanceof AuthorityFailure) || error.kind !== "refused") throw error;
      return this.#schedule();
    }
    this.#failed = undefined;
    // When it was down, whoever waits is told of that by the one who called.
    if (this.#stateNow() === "ready") this.#options.onChange();
  }

  async #readRoots(): Promise<void> {
    const chain = await this.#authority.chain();
    this.issuer ??= chain[0];
    const roots = [...new Set([...anchorsOf(chain), ...this.#anchors])].toSorted();
    if (roots.length === 0) {
      throw new AuthorityFailure("unavailable", "the certificate authority tells no certificate of its own");
    }
    if (roots.join("") !== this.roots.join("")) this.roots = roots;
  }

  // Read anew after each wait: the compiler does not know that others change it.
  #stateNow(): BackendState["state"] {
    return this.state.state;
  }

  #unavailable(cause?: unknown): BackendUnavailable {
    const reason = this.state.state === "down" ? this.state.reason : "the backend was replaced";
    return new BackendUnavailable(reason, { cause });
  }
}
