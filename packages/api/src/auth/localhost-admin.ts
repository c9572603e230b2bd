import { BlockList, isIP } from "node:net";
import type { Caller } from "./caller.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const AUTHORITY = /^(localhost|[0-9.]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/i;
const ORIGIN = /^(https?):\/\/([^/?#@]+)$/i;
const DEFAULT_PORT = { http: 80, https: 443 } as const;
// A proxy in front sets one of these; then the peer address says nothing about who really calls.
const FORWARDING = ["forwarded", "x-forwarded-for", "x-real-ip"];

/**
 * Whether a request comes from a program on this machine that a person started, and not from a web page or through a
 * proxy. A page can make the browser on this machine call us: a foreign name that resolves to 127.0.0.1 shows in Host
 * (DNS rebinding), a page of another site shows in Origin or Sec-Fetch-Site.
 */
export function isLocalhostAdmin(caller: Caller): boolean {
  if (!isLoopback(caller.address) || !caller.target.startsWith("/")) return false;
  if (FORWARDING.some((name) => caller.headers[name] !== undefined)) return false;
  const host = localAuthority(single(caller, "host"), caller.encrypted ? "https" : "http");
  return host !== undefined && isOwnSite(caller) && isOwnOrigin(caller, host);
}

/** A place on this machine, with the port that was meant when none was written. */
interface Authority {
  readonly host: string;
  readonly port: number;
}

function isOwnSite(caller: Caller): boolean {
  const sites = caller.headers["sec-fetch-site"];
  return sites === undefined || (sites.length === 1 && (sites[0] === "same-origin" || sites[0] === "none"));
}

function isOwnOrigin(caller: Caller, host: Authority): boolean {
  if (caller.headers["origin"] === undefined) return true;
  const [, scheme, authority] = ORIGIN.exec(single(caller, "origin") ?? "") ?? [];
  const origin = localAuthority(authority, scheme?.toLowerCase() === "https" ? "https" : "http");
  return origin !== undefined && origin.host === host.host && origin.port === host.port;
}

function localAuthority(text: string | undefined, scheme: "http" | "https"): Authority | undefined {
  const [, written, port] = AUTHORITY.exec(text ?? "") ?? [];
  if (written === undefined) return undefined;
  const host = written.toLowerCase().replace(/^\[|\]$/g, "");
  const number = port === undefined ? DEFAULT_PORT[scheme] : Number(port);
  if (number < 1 || number > 65_535) return undefined;
  return host === "localhost" || isLoopback(host) ? { host, port: number } : undefined;
}

function isLoopback(address: string | undefined): boolean {
  const family = isIP(address ?? "");
  return address !== undefined && family !== 0 && LOOPBACK.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** A header that may stand once only: repeated, it is unclear which one counts. */
function single(caller: Caller, name: string): string | undefined {
  const values = caller.headers[name];
  return values?.length === 1 ? values[0] : undefined;
}
