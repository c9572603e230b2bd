import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Store, WriteOptions } from "@heddle/model/store.ts";
import { openEncryptedStore } from "./encrypted.ts";
import { openMemoryStore } from "./memory.ts";
import { openSqliteStore } from "./sqlite.ts";
import { keysOf } from "./sqlite/keys.testkit.ts";

/** Durations in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a store does on this machine. */
export interface StoreFigures {
  /** One writer that waits for each acknowledgement. */
  readonly single: { readonly writesPerSecond: number; readonly acknowledged: Spread };
  /** Fifty writers, each waiting for its own. */
  readonly fifty: { readonly writesPerSecond: number; readonly acknowledged: Spread };
  readonly fiftyRelaxed: { readonly writesPerSecond: number; readonly acknowledged: Spread };
  /** From the call of a write to its event at a watcher. */
  readonly eventLatency: Spread;
  readonly list2000: Spread;
  /** A page of 100 in the middle of 2,000. */
  readonly page100: Spread;
  /** How late timers fire while fifty writers write. */
  readonly eventLoopDelay: Spread;
}

const RESOURCES = 2_000;

/** Measures a store that begins empty; takes some seconds. */
export async function measureStore(store: Store): Promise<StoreFigures> {
  const single = await measureWrites(store, 1, 1_000, {});
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const fifty = await measureWrites(store, 50, 10_000, {});
  delay.disable();
  const fiftyRelaxed = await measureWrites(store, 50, 10_000, { durability: "relaxed" });
  return {
    single,
    fifty,
    fiftyRelaxed,
    eventLatency: await measureEvents(store, 500),
    list2000: await repeat(200, () => store.list({ type: "Dataplane" })),
    page100: await repeat(200, () => store.list({ type: "Dataplane", size: 100, offset: MIDDLE })),
    eventLoopDelay: {
      p50: round(delay.percentile(50) / 1e6 - 1),
      p99: round(delay.percentile(99) / 1e6 - 1),
      max: round(delay.max / 1e6 - 1),
    },
  };
}

const MIDDLE = Buffer.from(JSON.stringify(["default", nameOf(RESOURCES / 2)])).toString("base64url");

async function measureWrites(
  store: Store,
  writers: number,
  count: number,
  options: WriteOptions,
): Promise<StoreFigures["single"]> {
  const durations: number[] = [];
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      const begin = performance.now();
      await write(store, next++, options);
      durations.push(performance.now() - begin);
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  const writesPerSecond = Math.round((count / (performance.now() - begin)) * 1_000);
  return { writesPerSecond, acknowledged: spread(durations) };
}

async function measureEvents(store: Store, count: number): Promise<Spread> {
  const durations: number[] = [];
  const controller = new AbortController();
  let begin = 0;
  const watching = (async () => {
    for await (const _batch of store.watch({ signal: controller.signal })) durations.push(performance.now() - begin);
  })();
  for (let index = 0; index < count; index += 1) {
    begin = performance.now();
    await write(store, index, {});
  }
  controller.abort();
  await watching;
  return spread(durations);
}

async function write(store: Store, index: number, options: WriteOptions): Promise<void> {
  const resource = dataplane(index % RESOURCES);
  const current = await store.get(resource);
  if (current === undefined) await store.create(resource, options);
  else await store.update(resource, current.version, options);
}

/** A Dataplane of the usual size, about 1 kB of JSON. */
function dataplane(index: number): NewResource {
  const tags = {
    "kuma.io/service": `service-${index % 1_000}`,
    "kuma.io/protocol": "http",
    version: "v1",
    team: "red",
  };
  const outbound = Array.from({ length: 8 }, (_, port) => ({ port: 10_000 + port, tags: { "kuma.io/service": "s" } }));
  const networking = { address: `10.0.${index % 250}.1`, inbound: [{ port: 8_080, servicePort: 80, tags }], outbound };
  return {
    type: "Dataplane",
    mesh: "default",
    name: nameOf(index),
    labels: { "kuma.io/zone": "east" },
    spec: { networking },
  };
}

function nameOf(index: number): string {
  return `dataplane-${String(index).padStart(4, "0")}`;
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<Spread> {
  const durations: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const begin = performance.now();
    await work();
    durations.push(performance.now() - begin);
  }
  return spread(durations);
}

function spread(durations: readonly number[]): Spread {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function round(millis: number): number {
  return Math.max(0, Math.round(millis * 100) / 100);
}

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), "heddle-store-"));
  await using memory = openMemoryStore();
  await using sqlite = await openSqliteStore({ file: join(folder, "heddle.db") });
  const { store } = await openEncryptedStore({ file: join(folder, "encrypted.db"), encryption: keysOf("a") });
  await using encrypted = store;
  console.log("memory", await measureStore(memory));
  console.log("sqlite", await measureStore(sqlite));
  console.log("encrypted", await measureStore(encrypted));
  rmSync(folder, { recursive: true });
}
