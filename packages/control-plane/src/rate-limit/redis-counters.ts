import { RateLimitFailure } from "@heddle/xds/rate-limit/hooks.ts";
import { type Count, type Counters, windowStart } from "./counters.ts";

export interface RedisCountersOptions {
  /** redis://user:password@host:port/database, or rediss:// with TLS. A secret: not for logs. */
  readonly url: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told when Redis answers, and when it does not any more, with the reason. */
  readonly onState: (state: { readonly isUp: true } | { readonly isUp: false; readonly reason: string }) => void;
}

// One step for Redis, so no two callers get the same number, and no counter is left that never ends.
const ADD = `
local count = redis.call("INCRBY", KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return count
`;

/** A control plane whose clock is behind by less than this finds the counters of its window still there. */
const CLOCK_MILLIS = 10_000;
const PING_MILLIS = 1_000;
/** A Redis that says nothing for so long is taken for gone: proxies do not wait that long in any case. */
const SILENCE_MILLIS = 3_000;
const CONNECT_MILLIS = 2_000;
const MOST_WAITING = 10_000;
const LONGEST_PAUSE_MILLIS = 2_000;

/**
 * Counts in Redis or Valkey, together with all others who do. It is there at once; until Redis answers, and whenever it
 * does not, counting fails without waiting. Throws when the URL is none.
 */
export async function redisCounters({ url, now, onState }: RedisCountersOptions): Promise<Counters> {
  const client = await clientFor(url);
  let isUp: boolean | undefined;
  // It is tried again and again, and only what is news is told.
  const change = (state: Parameters<typeof onState>[0]): void => {
    if (isUp === state.isUp) return;
    isUp = state.isUp;
    onState(state);
  };
  client.on("ready", () => change({ isUp: true }));
  client.on("error", ({ message }: Error) => change({ isUp: false, reason: message }));
  // Never settles while Redis is away; the events tell.
  client.connect().catch(() => undefined);
  const countOne = async ({ key, hits, intervalMillis }: Count): Promise<number> => {
    const name = `heddle:rate-limit:${key}:${windowStart(now(), intervalMillis)}`;
    try {
      return await client.add(name, hits, intervalMillis + CLOCK_MILLIS);
    } catch (cause) {
      throw new RateLimitFailure("unavailable", "Cannot count: Redis does not answer", { cause });
    }
  };
  return {
    get isUp() {
      return isUp === true;
    },
    count: (counts) => Promise.all(counts.map(countOne)),
    [Symbol.asyncDispose]: async () => client.destroy(),
  };
}

// Loaded where it is used only: most control planes count in memory.
async function clientFor(url: string) {
  const { createClient, defineScript } = await import("@redis/client");
  const add = defineScript({
    SCRIPT: ADD,
    NUMBER_OF_KEYS: 1,
    parseCommand: (parser, key: string, hits: number, lifeMillis: number) => {
      parser.pushKey(key);
      parser.push(String(hits), String(lifeMillis));
    },
    transformReply: (count: number) => count,
  });
  return createClient({
    url,
    scripts: { add },
    // Who has to wait has been let through by then.
    disableOfflineQueue: true,
    commandsQueueMaxLength: MOST_WAITING,
    pingInterval: PING_MILLIS,
    socket: {
      connectTimeout: CONNECT_MILLIS,
      socketTimeout: SILENCE_MILLIS,
      reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, LONGEST_PAUSE_MILLIS),
    },
  });
}
