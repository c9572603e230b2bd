/** The server of bench/transport.ts: starts one candidate, pushes when all streams are there, and reports. */
export type TransportName = "http2" | "grpc-js" | "heddle";

/** A server that can push to all its streams. */
export interface Transport {
  readonly port: number;
  /** Sends these bytes to every stream: a resource of which the rest of the response is made. */
  push(round: number, payload: Uint8Array): void;
}

/** What a server tells of its streams. */
export interface TransportEvents {
  opened(): void;
  acknowledged(): void;
}

export interface Order {
  readonly name: TransportName;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly streams: number;
  readonly pushes: number;
}

/** Times in milliseconds; medians over the pushes. */
export interface ServerReport {
  readonly name: TransportName;
  readonly connectMillis: number;
  readonly connectCpuMillis: number;
  /** With all streams open and idle, in megabytes. */
  readonly rssMb: number;
  /** The same without what the process had before the first stream, divided by the streams. */
  readonly kbAStream: number;
  readonly peakRssMb: number;
  readonly p50: number;
  readonly p99: number;
  readonly pushCpuMillis: number;
}

/** Loaded when it is its turn, so that nobody's memory holds the others' code. */
const START = {
  http2: async () => (await import("./transport-http2.ts")).startHttp2,
  "grpc-js": async () => (await import("./transport-grpc-js.ts")).startGrpcJs,
  heddle: async () => (await import("./transport-heddle.ts")).startHeddle,
};
const PAYLOAD_BYTES = 10_000;
/** The first pushes warm up the compiler. */
const WARM_UP = 2;

process.once("message", (order: Order) => void run(order));

async function run({ name, tls, streams, pushes }: Order): Promise<void> {
  const counter = new Counter(streams);
  const startServer = await START[name]();
  const transport = await startServer(tls, counter);
  const emptyMb = megabytes();
  const before = process.cpuUsage();
  const started = performance.now();
  process.send?.(transport.port);
  await counter.allOpened;
  const connectMillis = performance.now() - started;
  const connectCpuMillis = cpuMillis(before);
  await rest();
  const rssMb = megabytes();
  const rounds: Round[] = [];
  for (let round = 1; round <= pushes + WARM_UP; round += 1) rounds.push(await push(transport, counter, round));
  const measured = rounds.slice(WARM_UP);
  const report: ServerReport = {
    name,
    connectMillis,
    connectCpuMillis,
    rssMb,
    kbAStream: Math.round(((rssMb - emptyMb) * 1_000) / streams),
    peakRssMb: Math.max(...rounds.map(({ rss }) => rss)),
    p50: median(measured.map(({ times }) => times[streams >> 1] ?? 0)),
    p99: median(measured.map(({ times }) => times[Math.floor(streams * 0.99)] ?? 0)),
    pushCpuMillis: median(measured.map(({ cpu }) => cpu)),
  };
  process.send?.(report);
}

interface Round {
  /** From the push to each ACK, in the order in which they came. */
  readonly times: readonly number[];
  readonly cpu: number;
  readonly rss: number;
}

async function push(transport: Transport, counter: Counter, round: number): Promise<Round> {
  const before = process.cpuUsage();
  const acknowledged = counter.allAcknowledged();
  transport.push(round, Buffer.alloc(PAYLOAD_BYTES, round));
  const times = await acknowledged;
  const result = { times, cpu: cpuMillis(before), rss: megabytes() };
  await rest();
  return result;
}

/** Waits until all streams did something. */
class Counter implements TransportEvents {
  readonly allOpened: Promise<void>;
  readonly #streams: number;
  readonly #settleOpened: () => void;
  #opened = 0;
  #onAcknowledged = () => {};

  constructor(streams: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#streams = streams;
    this.allOpened = promise;
    this.#settleOpened = resolve;
  }

  opened(): void {
    this.#opened += 1;
    if (this.#opened === this.#streams) this.#settleOpened();
  }

  acknowledged(): void {
    this.#onAcknowledged();
  }

  /** Resolves with the time of each ACK from now on. */
  allAcknowledged(): Promise<readonly number[]> {
    const start = performance.now();
    const times: number[] = [];
    return new Promise((resolve) => {
      this.#onAcknowledged = () => {
        if (times.push(performance.now() - start) === this.#streams) resolve(times);
      };
    });
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MILLIS));
}

const REST_MILLIS = 300;

function cpuMillis(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function megabytes(): number {
  return Math.round(process.memoryUsage.rss() / 1e6);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
