import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { LaunchError } from "../launch-error.ts";
import type { DataplaneOptions } from "../options/settings.ts";
import type { ProxyName } from "./load-dataplane.ts";

/** The proof that this proxy may call itself what it does; both absent: the control plane asks for none. */
export interface DataplaneToken {
  readonly token?: string;
  /** The file it came from, where its owner may renew it. */
  readonly file?: string;
}

/** Reads the token from its option or file. Throws LaunchError "token" when there is a file that cannot be used. */
export async function loadToken(
  options: Pick<DataplaneOptions, "dataplaneToken" | "dataplaneTokenFile">,
): Promise<DataplaneToken> {
  const { dataplaneToken, dataplaneTokenFile } = options;
  if (dataplaneTokenFile === undefined) return dataplaneToken === undefined ? {} : { token: dataplaneToken.trim() };
  const path = resolve(dataplaneTokenFile);
  const token = (await readToken(path)).trim();
  if (token === "")
    throw new LaunchError("token", `Cannot use token file "${path}": it is empty`, { next: [GENERATE] });
  return { token, file: path };
}

/**
 * Why the control plane cannot accept this token for this proxy, as far as the token itself tells; undefined: nothing
 * speaks against it. The signature is the control plane's to check. Kuma's claims: Mesh, Name (both optional).
 */
export function tokenProblem(token: string, proxy: ProxyName, now: Date): string | undefined {
  const claims = claimsOf(token);
  if (claims === undefined) return "it is no JWT";
  const { Mesh: mesh, Name: name, exp: expires, nbf: notBefore } = claims;
  const seconds = now.getTime() / 1_000;
  if (typeof expires === "number" && expires <= seconds)
    return `it expired at ${shown(expires)} (it is ${now.toISOString()} here)`;
  if (typeof notBefore === "number" && notBefore > seconds + CLOCK_SKEW_SECONDS) {
    return `it is valid from ${shown(notBefore)} on (it is ${now.toISOString()} here): is the clock right?`;
  }
  if (typeof mesh === "string" && mesh !== "" && mesh !== proxy.mesh)
    return `it is for mesh "${mesh}", not "${proxy.mesh}"`;
  if (typeof name === "string" && name !== "" && name !== proxy.name)
    return `it is for proxy "${name}", not "${proxy.name}"`;
  return undefined;
}

/** Throws LaunchError "token" when the token cannot be right for this proxy. */
export function checkToken(token: string | undefined, proxy: ProxyName, now: Date): void {
  const problem = token === undefined ? undefined : tokenProblem(token, proxy, now);
  if (problem === undefined) return;
  throw new LaunchError("token", `Cannot use the token for proxy "${proxy.name}": ${problem}`, {
    next: [`heddle generate dataplane-token --mesh ${proxy.mesh} --name ${proxy.name} --valid-for 24h > token`],
  });
}

const GENERATE = "heddle generate dataplane-token --name <name> --valid-for 24h > token";
const CLOCK_SKEW_SECONDS = 300;

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const state = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (cause as Error).message;
    throw new LaunchError("token", `Cannot read token file "${path}": ${state}`, { next: [GENERATE], cause });
  }
}

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature, ...more] = token.split(".");
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null ? (claims as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function shown(seconds: number): string {
  const time = new Date(seconds * 1_000);
  return Number.isNaN(time.getTime()) ? String(seconds) : time.toISOString();
}
