import { isIP } from "node:net";
import type { ProxyKey } from "@heddle/api/ports.ts";
import { listenFailure } from "@heddle/api/http/listen.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { type RateLimitServer, serveRateLimits } from "@heddle/xds/rate-limit/server.ts";
import type { Config } from "../config/settings.ts";
import type { Meshes } from "../mesh/meshes.ts";
import { callersOf } from "./callers.ts";
import { CONTROL_PLANE_HOST } from "./control-plane-host.ts";
import { keyExchangesOf } from "../proxies/key-exchanges.ts";
import { rateLimitCluster } from "./cluster.ts";
import type { Counters } from "./counters.ts";
import { type Decisions, rateLimitHooks } from "./decide.ts";
import type { RateLimitKeys } from "./keys.ts";

/** The service that counts requests for proxies, as the rest of the control plane sees it. */
export class RateLimits {
  readonly decisions: Decisions = { ok: 0, over_limit: 0, shadow: 0, error: 0 };
  readonly counters: Counters;
  readonly #keys: RateLimitKeys;
  /** Absent until it is open. */
  #port: number | undefined;

  constructor(keys: RateLimitKeys, counters: Counters) {
    this.#keys = keys;
    this.counters = counters;
  }

  /** Opens the port. From then on proxies are told of it. */
  async open(config: Config, meshes: Meshes, onError: (error: unknown) => void): Promise<RateLimitServer> {
    const { rateLimitAddress: host, rateLimitPort: port } = config;
    const { callersPem, server } = this.#keys;
    const { counters, decisions } = this;
    try {
      const opened = await serveRateLimits({
        host,
        port,
        tls: { cert: server.certificatePem, key: server.keyPem },
        callersPem,
        hooks: rateLimitHooks({ callerOf: callersOf(meshes), counters, decisions }),
        onError,
      });
      this.#port = opened.port;
      return {
        port: opened.port,
        [Symbol.asyncDispose]: async () => {
          await opened[Symbol.asyncDispose]();
          await counters[Symbol.asyncDispose]();
        },
      };
    } catch (error) {
      await counters[Symbol.asyncDispose]();
      const setting = "--rate-limit-port / HEDDLE_RATE_LIMIT_PORT";
      throw await listenFailure((error as Error).cause ?? error, { host, port, setting });
    }
  }

  /** What a proxy needs to ask, made at the first call; undefined when it did not say how it reaches its control plane. */
  accessFor(key: ProxyKey, metadata: Readonly<Record<string, unknown>>): (() => EncodedResource) | undefined {
    const host = metadata[CONTROL_PLANE_HOST];
    const port = this.#port;
    if (port === undefined || typeof host !== "string" || !isHost(host)) return undefined;
    let made: EncodedResource | undefined;
    const { serversPem } = this.#keys;
    const place = { host, port, serversPem, keyExchanges: keyExchangesOf(metadata) };
    return () => (made ??= rateLimitCluster({ ...place, certificate: this.#keys.certificateOf(key) }));
  }
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,252})$/.test(text);
}
