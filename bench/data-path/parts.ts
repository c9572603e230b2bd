import type { Side } from "./instructions.ts";
import { type JsonObject, object, rewrite } from "./json.ts";

/** Something that a sidecar of Heddle does and the minimal one does not, or otherwise. */
export interface Part {
  readonly name: string;
  readonly sides: readonly Side[];
  readonly without: (config: JsonObject) => JsonObject;
}

const BOTH: readonly Side[] = ["client", "server"];

/** What is taken away from Heddle's configuration, one at a time; an indented one is part of the one above. */
export const PARTS: readonly Part[] = [
  { name: "permission (RBAC filter)", sides: ["server"], without: withoutPermission },
  { name: "  a counter for each permission", sides: ["server"], without: fields("track_per_rule_stats") },
  {
    name: "caller's identity in a header",
    sides: ["server"],
    without: fields("forward_client_cert_details", "set_current_client_cert_details"),
  },
  { name: "path normalised", sides: BOTH, without: fields("normalize_path") },
  { name: "limits of time", sides: BOTH, without: fields("idle_timeout", "stream_idle_timeout", "timeout") },
  { name: "websockets let through", sides: BOTH, without: fields("upgrade_configs") },
  { name: "look at a connection's first bytes", sides: ["server"], without: fields("listener_filters") },
  { name: "zone and tags of instances", sides: ["client"], without: fields("locality", "metadata") },
  {
    name: "bootstrap",
    sides: BOTH,
    without: fields("layered_runtime", "overload_manager", "deferred_stat_options", "stats_config", "admin"),
  },
  { name: "  limits of pattern sizes (runtime)", sides: BOTH, without: fields("layered_runtime") },
];

function fields(...names: readonly string[]): Part["without"] {
  return (config) =>
    object(rewrite(config, (each) => Object.fromEntries(Object.entries(each).filter(([key]) => !names.includes(key)))));
}

function withoutPermission(config: JsonObject): JsonObject {
  return object(
    rewrite(fields("typed_per_filter_config")(config), (each) =>
      each["name"] === "envoy.filters.http.rbac" ? undefined : each,
    ),
  );
}
