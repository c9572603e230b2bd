import { ApiError, invalid } from "@heddle/api/http/api-error.ts";
import type { Inspect, ProxyKey } from "@heddle/api/ports.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Proxy } from "../mesh/proxy.ts";
import type { AdminKeys } from "./admin-keys.ts";
import { type AdminPath, ENVOY_ADMIN } from "./admin-resources.ts";
import { inspectAddress } from "./admin-target.ts";
import { askEnvoy, EnvoySilence } from "./ask-envoy.ts";
import { withoutCredentials } from "./redact.ts";

type LiveEnvoy = Inspect["liveEnvoy"];
type View = Parameters<LiveEnvoy>[1];

export interface LiveEnvoyOptions {
  readonly meshes: Meshes;
  readonly adminKeys: AdminKeys;
  readonly limits?: { readonly millis: number; readonly bytes: number };
}

/** Far above a dump with thousands of clusters, and little enough to have a few of them in memory. */
const LIMITS = { millis: 10_000, bytes: 32 * 1_048_576 };

/** Each may hold an answer of the largest size in memory. */
const MOST_AT_ONCE = 4;

/** Lets the REST API look into the Envoys that are connected here. */
export function liveEnvoy({ meshes, adminKeys, limits = LIMITS }: LiveEnvoyOptions): LiveEnvoy {
  let busy = 0;
  return async (key, view, query) => {
    const path = pathOf(view, query);
    const runtime = meshes.get(key.mesh);
    const proxy = runtime?.proxies.get(key.name);
    const entry = runtime?.snapshot.dataplanes.get(key.name);
    if (proxy === undefined || entry === undefined) return undefined;
    const place = placeOf(proxy, entry.resource.spec as DataplaneSpec);
    if (place === undefined) throw unanswered(key, view, NO_PORT);
    const port = `its inspect port ${place.host}:${place.port}`;
    const refusal = proxy.rejections.get(`${TYPE_URL.listener} ${ENVOY_ADMIN}`);
    if (refusal !== undefined)
      throw unanswered(key, view, `Envoy cannot open ${port}: ${refusal.detail}; ${OTHER_PORT}`);
    if (busy >= MOST_AT_ONCE) throw unanswered(key, view, `${busy} such questions are being answered; try again`);
    busy += 1;
    try {
      const answer = await askEnvoy(adminKeys, { ...key, ...place, path, limits });
      if (answer.status !== 200) throw new EnvoySilence(`it answers with status ${answer.status}`);
      return { contentType: answer.contentType, body: withoutCredentials(answer.body) };
    } catch (error) {
      if (!(error instanceof EnvoySilence)) throw error;
      throw unanswered(key, view, `${port}: ${error.message}`);
    } finally {
      busy -= 1;
    }
  };
}

const NO_PORT =
  "it opened no inspect port; start it with this version of heddle dp run, or give it a networking.admin.port and a networking.address that is not loopback";

const OTHER_PORT = "start the proxy again, or with another --inspect-port";

function placeOf(proxy: Proxy, { networking }: DataplaneSpec): { host: string; port: number } | undefined {
  const { address, advertisedAddress = address } = networking;
  const listening = proxy.inspectPort && inspectAddress(proxy.inspectPort.target, address);
  return listening && { host: advertisedAddress, port: listening.port };
}

function unanswered({ name }: ProxyKey, view: View, reason: string): ApiError {
  return new ApiError(503, `Cannot ask the Envoy of "${name}" for ${view}: ${reason}`);
}

/** What of the caller's query goes on to Envoy: only what is known here, in Envoy's own words. */
function pathOf(view: View, query: URLSearchParams): `${AdminPath}${string}` {
  const format = choice(query, "format", ["text", "json"]) === "json" ? ["format=json"] : [];
  switch (view) {
    case "xds":
      return withQuery("/config_dump", isOn(query, "include_eds") ? ["include_eds"] : []);
    case "clusters":
      return withQuery("/clusters", format);
    case "stats":
      return withQuery("/stats", [...format, ...(isOn(query, "usedonly") ? ["usedonly"] : [])]);
  }
}

function withQuery(path: AdminPath, parts: readonly string[]): `${AdminPath}${string}` {
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}

/** Envoy takes the mere presence of such a parameter for yes. */
function isOn(query: URLSearchParams, name: string): boolean {
  const value = choice(query, name, ["", "true", "false"]);
  return value === "" || value === "true";
}

function choice(query: URLSearchParams, name: string, allowed: readonly string[]): string | undefined {
  const value = query.get(name) ?? undefined;
  if (value === undefined || allowed.includes(value)) return value;
  const words = allowed.filter((word) => word !== "").map((word) => `"${word}"`);
  throw invalid(
    [{ field: name, message: `must be ${words.join(" or ")}, not ${JSON.stringify(value.slice(0, 50))}` }],
    "The query is not valid",
  );
}
