import type {
  DataplaneInsightSpec,
  RefusedHost,
  Rejection,
  Subscription,
} from "@heddle/model/kinds/dataplane-insight.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import type { StreamEvent } from "@heddle/xds/events.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Held } from "../identity/certificates.ts";

/** How many past connections an insight remembers. */
const SUBSCRIPTIONS_KEPT = 2;

/** One connection of a proxy, as its insight tells it. */
export interface Connection {
  readonly mesh: string;
  readonly name: string;
  readonly subscription: Subscription;
  readonly certificate: () =>
    | { readonly held: Held | undefined; readonly issuer: string; readonly issued: number }
    | undefined;
  readonly rejections: () => readonly Rejection[];
  readonly refusedHosts: () => readonly RefusedHost[];
  readonly refuseHost: (host: RefusedHost) => void;
  readonly metadata: unknown;
  readonly counters: Counters;
}

/** Responses per type: sent, acknowledged, rejected. */
export class Counters {
  readonly #counts = new Map<string, [number, number, number]>();
  lastUpdate: Date | undefined;

  count(event: StreamEvent, now: Date): void {
    if (event.event === "synced" || event.event === "wanted") return;
    const index = ["sent", "acked", "nacked"].indexOf(event.event);
    for (const key of ["total", GROUPS[event.typeUrl]]) {
      if (key === undefined) continue;
      const counts = this.#counts.get(key) ?? [0, 0, 0];
      counts[index] = (counts[index] ?? 0) + 1;
      this.#counts.set(key, counts);
    }
    this.lastUpdate = now;
  }

  describe(): NonNullable<Subscription["status"]> {
    const groups = [...this.#counts].map(([key, [sent, acked, rejected]]) => [
      key,
      { responsesSent: String(sent), responsesAcknowledged: String(acked), responsesRejected: String(rejected) },
    ]);
    return {
      ...(this.lastUpdate === undefined ? {} : { lastUpdateTime: this.lastUpdate.toISOString() }),
      ...Object.fromEntries(groups),
    };
  }
}

const GROUPS: Readonly<Record<string, string>> = {
  [TYPE_URL.cluster]: "cds",
  [TYPE_URL.endpoint]: "eds",
  [TYPE_URL.listener]: "lds",
  [TYPE_URL.route]: "rds",
  [TYPE_URL.secret]: "sds",
};

/** Mere counts wait this many intervals: a change for 2,000 proxies must not become 2,000 writes a second. */
const PATIENCE = 10;

/** Writes what proxies do into DataplaneInsights, at most once an interval. */
export class Insights {
  readonly #store: Store;
  readonly #intervalMillis: number;
  readonly #onFailure: (message: string, cause: unknown) => void;
  readonly #pending = new Map<string, Connection & { ended?: Date }>();
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: Store, intervalMillis: number, onFailure: (message: string, cause: unknown) => void) {
    this.#store = store;
    this.#intervalMillis = intervalMillis;
    this.#onFailure = onFailure;
  }

  /** A connection exchanged something ordinary: its counts are written when there is time. */
  count(connection: Connection): void {
    this.#note(connection, undefined, this.#intervalMillis * PATIENCE);
  }

  /** Something about a connection changed that people look for: it began, ended, was refused, got a certificate. */
  touch(connection: Connection, ended?: Date): void {
    this.#note(connection, ended, this.#intervalMillis);
  }

  #note(connection: Connection, ended: Date | undefined, within: number): void {
    const key = `${connection.mesh}/${connection.name}/${connection.subscription.id}`;
    const before = this.#pending.get(key)?.ended;
    const end = ended ?? before;
    this.#pending.set(key, end === undefined ? connection : { ...connection, ended: end });
    const due = performance.now() + within;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.flush(), within).unref();
  }

  /** Writes what is pending now. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
    const batch = [...this.#pending.values()];
    this.#pending.clear();
    this.#writing = this.#writing.then(async () => {
      await Promise.all([...byProxy(batch).values()].map((list) => this.#write(list)));
    });
    return this.#writing;
  }

  async #write(connections: readonly (Connection & { ended?: Date })[]): Promise<void> {
    for (const connection of connections) {
      try {
        await this.#writeOne(connection);
      } catch (cause) {
        this.#onFailure(`Cannot write the insight of "${connection.mesh}/${connection.name}"`, cause);
      }
    }
  }

  async #writeOne(connection: Connection & { ended?: Date }): Promise<void> {
    const key = { type: "DataplaneInsight", mesh: connection.mesh, name: connection.name };
    const stored = await this.#store.get(key);
    // A proxy whose Dataplane was deleted takes its insight along.
    if ((await this.#store.get({ ...key, type: "Dataplane" })) === undefined) {
      if (stored !== undefined) await this.#store.delete(key).catch(ignoreMissing);
      return;
    }
    const spec = describe(stored?.spec as DataplaneInsightSpec | undefined, connection);
    const resource = { ...key, labels: stored?.labels ?? {}, spec };
    const relaxed = { durability: "relaxed" } as const;
    await (stored === undefined
      ? this.#store.create(resource, relaxed)
      : // Deleted in the meantime, with its Dataplane: then there is nothing to tell of it.
        this.#store.update(resource, stored.version, relaxed).catch(ignoreMissing));
  }
}

function describe(
  old: DataplaneInsightSpec | undefined,
  connection: Connection & { ended?: Date },
): DataplaneInsightSpec {
  const { subscription, ended, counters, metadata } = connection;
  const current: Subscription = {
    ...subscription,
    status: counters.describe(),
    ...(ended === undefined ? {} : { disconnectTime: ended.toISOString() }),
  };
  const others = (old?.subscriptions ?? []).filter(({ id }) => id !== subscription.id).map(closed);
  const rejections = connection.rejections();
  const refusedHosts = connection.refusedHosts();
  return {
    subscriptions: [...others, current].slice(-SUBSCRIPTIONS_KEPT),
    ...mtls(old, connection),
    ...(metadata === undefined ? {} : { metadata }),
    ...(rejections.length === 0 ? {} : { rejections: [...rejections] }),
    ...(refusedHosts.length === 0 ? {} : { refusedHosts: [...refusedHosts] }),
  };
}

function mtls(old: DataplaneInsightSpec | undefined, { certificate }: Connection): Pick<DataplaneInsightSpec, "mTLS"> {
  const now = certificate();
  if (now?.held === undefined) return old?.mTLS === undefined ? {} : { mTLS: old.mTLS };
  const before = old?.mTLS;
  const isNew = before?.lastCertificateRegeneration !== now.held.issuedAt.toISOString();
  return {
    mTLS: {
      certificateExpirationTime: now.held.notAfter.toISOString(),
      lastCertificateRegeneration: now.held.issuedAt.toISOString(),
      certificateRegenerations: (before?.certificateRegenerations ?? 0) + (isNew ? Math.max(1, now.issued) : 0),
      issuedBackend: now.issuer,
      supportedBackends: [now.issuer],
      certificateName: now.held.secret.name,
      certificateVersion: now.held.secret.version,
      certificateBasis: now.held.basis,
      ...(now.held.roots === undefined ? {} : { certificateAuthority: now.held.roots }),
      certificateRenewalTime: now.held.renewAt.toISOString(),
    },
  };
}

// A subscription of an earlier life of the proxy ended at the latest when the next one began.
function closed(subscription: Subscription): Subscription {
  const end = subscription.disconnectTime ?? new Date().toISOString();
  return { ...subscription, disconnectTime: end };
}

function byProxy<Item extends Connection>(items: readonly Item[]): Map<string, Item[]> {
  return Map.groupBy(items, ({ mesh, name }) => `${mesh}/${name}`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof StoreError) || error.code !== "not_found") throw error;
}
