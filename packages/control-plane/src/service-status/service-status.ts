import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { type Generator, isNamedKind, NAMED_KINDS } from "@heddle/model/hostnames.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { wantedStatuses } from "./wanted-status.ts";

export interface ServiceStatusOptions {
  readonly store: Store;
  readonly zone: string;
  readonly onFailure: (message: string, cause: unknown) => void;
}

/** Keeps the status of services in step with what is there: after each change of a service or of a HostnameGenerator. */
export class ServiceStatus {
  readonly #options: ServiceStatusOptions;
  #isDue = false;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: ServiceStatusOptions) {
    this.#options = options;
  }

  /** A resource of this type changed. Changes that come while one look is under way are one more look. */
  notice(type: string): void {
    if (!isNamedKind(type) && type !== "HostnameGenerator") return;
    this.#isDue = true;
    this.#running ??= this.#run();
  }

  /** Settles when everything that was noticed is written. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Ends after the writes that have begun. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // What was committed together is looked at together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false;
        await this.#look();
      }
    } catch (cause) {
      this.#options.onFailure("Cannot write the addresses of services; the next change of one tries again", cause);
    }
    this.#running = undefined;
  }

  async #look(): Promise<void> {
    const { store, zone } = this.#options;
    const [generators, ...lists] = await Promise.all(
      ["HostnameGenerator", ...NAMED_KINDS].map(async (type) => (await store.list({ type })).items),
    );
    // Their own schema has checked them before they were stored.
    const wanted = wantedStatuses((generators ?? []) as readonly Generator[], lists.flat(), zone);
    const changed = wanted.filter(({ service, status }) => canonicalJson(service.status) !== canonicalJson(status));
    // Writes that begin together are committed together.
    await Promise.all(changed.map(({ service, status }) => this.#write(service, status)));
  }

  async #write(service: Resource, status: object): Promise<void> {
    try {
      await this.#options.store.update({ ...service, status }, service.version);
    } catch (error) {
      // Somebody wrote or deleted it meanwhile: that change brings the next look.
      if (!(error instanceof StoreError) || !["conflict", "not_found"].includes(error.code)) throw error;
    }
  }
}
