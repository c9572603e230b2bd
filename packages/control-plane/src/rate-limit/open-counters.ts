import type { Config } from "../config/settings.ts";
import type { Log } from "../log.ts";
import type { Counters } from "./counters.ts";
import { memoryCounters } from "./memory-counters.ts";
import { redisCounters } from "./redis-counters.ts";

/** What the configuration says requests are counted in. Throws when its URL cannot be used. */
export async function openCounters(
  { rateLimitRedisUrl: url }: Pick<Config, "rateLimitRedisUrl">,
  log: Log,
): Promise<Counters> {
  if (url === "") return memoryCounters({ now: Date.now });
  if (!/^rediss?:$/.test(URL.parse(url)?.protocol ?? "")) {
    const fix = 'it must be a URL such as "redis://host:6379/0" or "rediss://user:password@host:6380"';
    // What it is stays out: it may hold a password.
    throw new Error(
      `Cannot count in Redis: rateLimit.redis.url / HEDDLE_RATE_LIMIT_REDIS_URL is no URL of Redis; ${fix}`,
    );
  }
  return await redisCounters({
    url,
    now: Date.now,
    onState: (state) => {
      if (state.isUp) log.info("counts requests in Redis", {});
      else
        log.warn("cannot count requests: Redis does not answer, it is tried again and again", { reason: state.reason });
    },
  });
}
