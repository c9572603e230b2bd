import { readFile } from "node:fs/promises";
import { LaunchError } from "../launch-error.ts";
import type { DataplaneOptions } from "../options/settings.ts";

/** Whom to take for the control plane. */
export type Trust =
  | { readonly kind: "system" }
  | { readonly kind: "authorities"; readonly pem: string }
  | { readonly kind: "anyone" };

/** The control plane's data plane server, as the launcher reaches it. JSON-able: it is kept for restarts and the drain. */
export interface ControlPlane {
  /** Such as "https://cp.example:5678", without a path. */
  readonly url: string;
  readonly trust: Trust;
}

type Source = Pick<DataplaneOptions, "cpAddress" | "caCert" | "caCertFile" | "skipVerify">;

/** Reads address and trust from the options. Throws LaunchError "options". */
export async function readControlPlane(options: Source): Promise<ControlPlane> {
  return { url: parseAddress(options.cpAddress), trust: await readTrust(options) };
}

function parseAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "https:" && url.hostname !== "") return url.origin;
  throw new LaunchError("options", `Cannot use --cp-address "${address}": it is no https address`, {
    next: ["Write it such as https://cp.example:5678; the data plane server always speaks TLS"],
  });
}

async function readTrust({ caCert, caCertFile, skipVerify }: Source): Promise<Trust> {
  if (skipVerify) return { kind: "anyone" };
  if (caCertFile === undefined) return caCert === undefined ? { kind: "system" } : { kind: "authorities", pem: caCert };
  const pem = await readFile(caCertFile, "utf8").catch((cause: Error) => {
    throw new LaunchError("options", `Cannot read --ca-cert-file "${caCertFile}": ${cause.message}`, { cause });
  });
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return { kind: "authorities", pem };
  throw new LaunchError("options", `Cannot use --ca-cert-file "${caCertFile}": it holds no PEM certificate`, {
    next: ["It must start with -----BEGIN CERTIFICATE-----"],
  });
}
