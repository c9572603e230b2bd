import { createServer } from "node:net";
import type { ListenAddress } from "../dataplane/listen-addresses.ts";
import { LaunchError } from "../launch-error.ts";
import { portOwner } from "@heddle/model/port-owner.ts";

/**
 * Makes sure that Envoy can listen where it is going to, while there is still somebody to tell: later the same mistake
 * is a refused listener in the control plane's records. Throws LaunchError "port_in_use" with one line for each address.
 */
export async function checkPorts(listens: readonly ListenAddress[]): Promise<void> {
  const problems = (await Promise.all(listens.map(problemOf))).filter((problem) => problem !== undefined);
  const [first] = problems;
  if (first === undefined) return;
  const others = problems.length - 1;
  throw new LaunchError(
    "port_in_use",
    `Cannot start the proxy: ${first.text}${others === 0 ? "" : ` (and ${others} more)`}`,
    {
      details: problems.slice(1).map(({ text }) => text),
      next: [...new Set(problems.map(({ next }) => next))],
    },
  );
}

interface Problem {
  readonly text: string;
  readonly next: string;
}

async function problemOf({ address, port, purpose, change }: ListenAddress): Promise<Problem | undefined> {
  const code = await bindProblem(address, port);
  const place = `${address}:${port}, which ${purpose} needs,`;
  switch (code) {
    case "EADDRINUSE": {
      const owner = await portOwner(port);
      const who = owner === undefined ? "by another process" : `by process "${owner.name}" (pid ${owner.pid})`;
      return { text: `${place} is in use ${who}`, next: `Stop that process, or change ${change}` };
    }
    case "EADDRNOTAVAIL":
      return {
        text: `${place} is no address of this machine`,
        next: "Write an address of this machine as networking.address; what others are to use instead goes to advertisedAddress",
      };
    case "EACCES":
      return {
        text: `${place} needs the privilege to open ports below 1024`,
        next: `Allow it (setcap cap_net_bind_service=+ep on Envoy), or change ${change}`,
      };
    default:
      return undefined;
  }
}

/** Tries to listen as Envoy does: sharing the port with sockets that share it too (SO_REUSEPORT), such as a leaving proxy's. */
function bindProblem(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ host: address, port, reusePort: true, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
