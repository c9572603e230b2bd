import { parse } from "yaml";
import { LaunchError } from "../launch-error.ts";
import type { ListenAddress } from "../dataplane/listen-addresses.ts";

/** Where Envoy's admin interface answers. JSON-able. */
export type AdminTarget =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "port"; readonly address: string; readonly port: number };

/** What the launcher needs to know of a bootstrap that it hands through unchanged. */
export interface BootstrapFacts {
  readonly admin: AdminTarget;
  /** TCP addresses that Envoy binds before it has spoken with anybody. */
  readonly listens: readonly ListenAddress[];
}

/** Reads the parts of an Envoy bootstrap (YAML) that matter here. Throws LaunchError "refused" when it is none. */
export function readBootstrap(yaml: string): BootstrapFacts {
  const root = record(parseYaml(yaml));
  const admin = adminTarget(field(root["admin"], "address"));
  if (admin === undefined) throw unusable("it has no admin address, which restarts and draining need");
  const statics = either(root, "staticResources", "static_resources");
  const listeners = record(statics)["listeners"];
  return {
    admin,
    listens: [
      ...(admin.kind === "port" ? [adminListen(admin)] : []),
      ...(Array.isArray(listeners) ? listeners.flatMap(listenerListen) : []),
    ],
  };
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml, { uniqueKeys: false, prettyErrors: false, logLevel: "error" });
  } catch (cause) {
    throw unusable("it is no YAML", cause);
  }
}

function unusable(state: string, cause?: unknown): LaunchError {
  return new LaunchError("refused", `Cannot use the bootstrap that the control plane sent: ${state}`, {
    next: ["Look into the control plane's log and its version"],
    cause,
  });
}

function adminTarget(address: unknown): AdminTarget | undefined {
  const path = field(record(address)["pipe"], "path");
  if (typeof path === "string") return { kind: "socket", path };
  const tcp = socketAddress(address);
  return tcp === undefined ? undefined : { kind: "port", ...tcp };
}

function adminListen({ address, port }: { address: string; port: number }): ListenAddress {
  return { address, port, purpose: "Envoy's admin interface", change: "--admin-port" };
}

function listenerListen(listener: unknown): readonly ListenAddress[] {
  const tcp = socketAddress(field(listener, "address"));
  const name = field(listener, "name");
  return tcp === undefined
    ? []
    : [
        {
          ...tcp,
          purpose: `listener ${typeof name === "string" ? name : tcp.port}`,
          change: "the control plane's settings",
        },
      ];
}

function socketAddress(address: unknown): { readonly address: string; readonly port: number } | undefined {
  const socket = record(either(record(address), "socketAddress", "socket_address"));
  const host = socket["address"];
  const port = either(socket, "portValue", "port_value");
  return typeof host === "string" && typeof port === "number" ? { address: host, port } : undefined;
}

function field(value: unknown, name: string): unknown {
  return record(value)[name];
}

/** Protobuf's JSON form may be written in either of two spellings. */
function either(value: unknown, camel: string, snake: string): unknown {
  const fields = record(value);
  return fields[camel] ?? fields[snake];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
