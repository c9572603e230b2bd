import type { Violation } from "@heddle/model/violation.ts";
import { readCidr, readDomain, readIp } from "./address.ts";
import type { MatchConf, PassthroughConf } from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf({ appendMatch = [] }: PassthroughConf, field: string): Violation[] {
  return appendMatch.flatMap((match, index) => {
    const at = `${field}.appendMatch[${index}]`;
    const wrong = checkMatch(match, at);
    // What cannot be read cannot be compared either.
    return wrong.length > 0 ? wrong : checkAgainst(match, appendMatch.slice(0, index), at);
  });
}

/** What a conf says that may not do what it seems to. */
export function warnConf({ passthroughMode, appendMatch = [] }: PassthroughConf, field: string): Violation[] {
  if (passthroughMode === "All" || passthroughMode === "None") {
    if (appendMatch.length === 0) return [];
    return [{ field: `${field}.appendMatch`, message: `has no effect with passthroughMode ${passthroughMode}` }];
  }
  return appendMatch.flatMap((match, index) => {
    const at = `${field}.appendMatch[${index}]`;
    return match.type === "Domain" && match.port === undefined && !match.value.startsWith("*")
      ? [{ field: `${at}.port`, message: UNPINNED }]
      : [];
  });
}

const UNPINNED =
  "without it whoever names this domain may send to any address; with it the proxy looks the address up itself";

function checkMatch(match: MatchConf, at: string): Violation[] {
  const { type, port, protocol = "tcp" } = match;
  if (type === "Domain") return checkDomain(match, at);
  const mysql = protocol === "mysql" && port === undefined ? [{ field: `${at}.port`, message: NEEDS_PORT }] : [];
  return [...mysql, ...checkAddress(match, at)];
}

const NEEDS_PORT = "must be set with protocol mysql";

function checkAddress({ type, value }: MatchConf, at: string): Violation[] {
  const field = `${at}.value`;
  if (type === "IP" && readIp(value) === undefined)
    return [{ field, message: `must be an IP such as 10.1.2.3 or fd00::1, not "${value}"` }];
  if (type === "CIDR" && readCidr(value) === undefined)
    return [{ field, message: `must be a range such as 10.0.0.0/8 or fd00::/8, not "${value}"` }];
  return [];
}

function checkDomain({ value, port, protocol = "tcp" }: MatchConf, at: string): Violation[] {
  const wildcard = value.startsWith("*");
  return [
    ...(protocol === "tcp" || protocol === "mysql"
      ? [
          {
            field: `${at}.protocol`,
            message: `must be tls, http, http2 or grpc with type Domain: no bytes of ${protocol} tell which domain is meant`,
          },
        ]
      : []),
    ...(wildcard && port === undefined && isRequests(protocol)
      ? [{ field: `${at}.port`, message: `must be set for a wildcard with protocol ${protocol}` }]
      : []),
    ...(readDomain(value) === undefined ? [{ field: `${at}.value`, message: notADomain(value) }] : []),
  ];
}

function notADomain(value: string): string {
  if (readIp(value) !== undefined) return `must be a domain; "${value}" is an address, which is type IP`;
  if (value.startsWith("*") && !value.startsWith("*."))
    return `must have the wildcard as its whole first part, such as *.example.com, not "${value}"`;
  return `must be a domain such as api.example.com or *.example.com, not "${value}"`;
}

function checkAgainst(match: MatchConf, before: readonly MatchConf[], at: string): Violation[] {
  const { protocol = "tcp", port } = match;
  const where = port === undefined ? "on all ports" : `on port ${port}`;
  const here = before.filter((each) => each.port === port && readable(each));
  // Said twice for all ports is harmless, and Kuma 2.x takes it.
  if (
    port !== undefined &&
    here.some((each) => (each.protocol ?? "tcp") === protocol && target(each) === target(match))
  )
    return [
      { field: `${at}.value`, message: `must be unique: "${match.value}" is there already ${where} for ${protocol}` },
    ];
  const other = here.find((each) => isRival(match, each));
  if (other === undefined) return [];
  const message = `must be ${other.protocol ?? "tcp"}, as for "${other.value}" ${where}: http, http2 and grpc cannot be told apart`;
  return [{ field: `${at}.protocol`, message }];
}

function isRival(match: MatchConf, other: MatchConf): boolean {
  const [protocol = "tcp", theirs = "tcp"] = [match.protocol, other.protocol];
  const together = (match.type === "Domain" && other.type === "Domain") || target(match) === target(other);
  return together && protocol !== theirs && isRequests(protocol) && isRequests(theirs);
}

function readable(match: MatchConf): boolean {
  return target(match) !== undefined;
}

function target({ type, value }: MatchConf): string | undefined {
  if (type === "Domain") return readDomain(value);
  const range = type === "IP" ? readIp(value) : readCidr(value);
  return range && `${range.address}/${range.prefix}`;
}

function isRequests(protocol: MatchConf["protocol"]): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}
