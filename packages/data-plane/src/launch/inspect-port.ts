import { createServer } from "node:net";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { LaunchError } from "../launch-error.ts";

interface Wishes {
  /** What the user said; 0 is none. */
  readonly inspectPort: number | undefined;
  readonly adminPort: number | undefined;
  /** Absent: only the control plane has the Dataplane. */
  readonly networking: DataplaneSpec["networking"] | undefined;
}

/**
 * The port at which control planes may look into Envoy, to be told to them; undefined when there is to be none, or when
 * they find it without being told: an admin port is open to them on the Dataplane's address, as with Kuma.
 */
export async function chooseInspectPort({ inspectPort, adminPort, networking }: Wishes): Promise<number | undefined> {
  if (inspectPort !== undefined) return inspectPort === 0 ? undefined : inspectPort;
  const hasAdminPort = (adminPort ?? networking?.admin?.port) !== undefined;
  if (hasAdminPort && networking !== undefined && !/^(127\.|::1$)/.test(networking.address)) return undefined;
  return freePort(portsOf(networking));
}

/** Ports that are free now, but are going to be used: by this very proxy, or by its application. */
function portsOf(networking: DataplaneSpec["networking"] | undefined): ReadonlySet<number | undefined> {
  const { inbound = [], outbound = [], listeners = [] } = networking ?? {};
  const own = [...inbound, ...outbound, ...listeners].map(({ port }) => port);
  return new Set([...own, ...inbound.map(({ servicePort }) => servicePort)]);
}

async function freePort(except: ReadonlySet<number | undefined>): Promise<number> {
  const port = await anyPort();
  return except.has(port) ? freePort(except) : port;
}

/** Free on every address of this machine. */
async function anyPort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", (cause: NodeJS.ErrnoException) => {
    const next = ["Name one with --inspect-port, or do without by --inspect-port 0"];
    reject(new LaunchError("port_in_use", `Cannot find a free inspect port: ${cause.message}`, { next, cause }));
  });
  server.listen(0, () => {
    const { port } = server.address() as { readonly port: number };
    server.close(() => resolve(port));
  });
  return promise;
}
