import type {
  AddressRange,
  PassthroughChain,
  PassthroughCluster,
  PassthroughHost,
} from "@heddle/engine/plan/passthrough.ts";
import { readCidr, readDomain, readIp } from "./address.ts";
import type { MatchConf } from "./schema.ts";

type Protocol = NonNullable<MatchConf["protocol"]>;

/** What an item of appendMatch means. */
export interface Match {
  readonly to: { readonly domain: string } | { readonly range: AddressRange };
  readonly value: string;
  readonly port: number | undefined;
  readonly protocol: Protocol;
}
type DomainMatch = Match & { readonly to: { readonly domain: string } };
type RangeMatch = Match & { readonly to: { readonly range: AddressRange } };

/** What the items mean, each once; what cannot be read is left out, because it was refused when it was written. */
export function readMatches(confs: readonly MatchConf[]): readonly Match[] {
  const matches = confs.flatMap(({ type, value, port, protocol = "tcp" }): readonly Match[] => {
    if (type === "Domain") {
      const domain = readDomain(value);
      return domain === undefined ? [] : [{ to: { domain }, value: domain, port, protocol }];
    }
    const range = type === "IP" ? readIp(value) : readCidr(value);
    if (range === undefined) return [];
    const shown = type === "IP" ? range.address : `${range.address}/${range.prefix}`;
    return [{ to: { range }, value: shown, port, protocol }];
  });
  return [...new Map(matches.map((match) => [clusterName(match), match])).values()];
}

/**
 * The connections that matches mean, the most specific first: TLS by server name, an exact one before wildcards and longer
 * wildcards before shorter ones; then addresses, the longest prefix first; then requests by host, which are told apart in
 * the same order once they are read. A match with a port comes before the same without.
 */
export function chainsOf(matches: readonly Match[]): readonly PassthroughChain[] {
  const byName = matches.filter(isDomain);
  const requests = byName.filter(({ protocol }) => isRequests(protocol));
  const tls = byName.filter(({ protocol }) => protocol === "tls");
  const chains = [
    ...tls.toSorted(byDomain).map(tlsChain),
    ...matches
      .filter(isRange)
      .toSorted(byRange)
      .flatMap((match) => rangeChains(match, requests)),
    ...hostChains(requests),
  ];
  // What an address gets on a port of its own stands before what it gets there because it is listed for all ports.
  return chains.filter(({ name }, index) => chains.findIndex((other) => other.name === name) === index);
}

/** The clusters that these chains lead to. */
export function clustersOf(matches: readonly Match[]): readonly PassthroughCluster[] {
  return matches
    .map((match) => ({
      name: clusterName(match),
      http2: match.protocol === "http2" || match.protocol === "grpc",
      pinned: pinnedTo(match),
    }))
    .toSorted((a, b) => compare(a.name, b.name));
}

// Who calls chooses both the address and the name that is said there: where an address follows from the name, the name
// alone decides. As Kuma 3 does.
function pinnedTo({ to, port }: Match): PassthroughCluster["pinned"] {
  if (!("domain" in to) || port === undefined || to.domain.startsWith("*")) return undefined;
  return { host: to.domain, port };
}

function clusterName({ protocol, value, port }: Match): string {
  return `meshpassthrough_${protocol}_${value}_${port ?? "*"}`;
}

function tlsChain(match: DomainMatch): PassthroughChain {
  const { domain } = match.to;
  const cluster = clusterName(match);
  const serverName = domain === "*" ? undefined : domain;
  return { name: cluster, when: { port: match.port, tls: { serverName } }, to: { cluster } };
}

function rangeChains(match: RangeMatch, requests: readonly DomainMatch[]): readonly PassthroughChain[] {
  const { protocol, port, to } = match;
  const cluster = clusterName(match);
  const when = { port, range: to.range };
  if (protocol === "tls") return [{ name: cluster, when: { ...when, tls: {} }, to: { cluster } }];
  if (!isRequests(protocol)) return [{ name: cluster, when, to: { cluster } }];
  const own = { name: cluster, when: { ...when, http: true }, to: hostsAnd(cluster, port, requests) };
  if (port !== undefined) return [own];
  // On ports where some hosts are listed, these come before the address, as they do where the match has a port.
  const onPorts = portsOf(requests).map((each) => ({
    name: clusterName({ ...match, port: each }),
    when: { port: each, range: to.range, http: true },
    to: hostsAnd(cluster, each, requests),
  }));
  return [...onPorts, own];
}

function hostChains(requests: readonly DomainMatch[]): readonly PassthroughChain[] {
  const everywhere = requests.some(({ port }) => port === undefined);
  const ports = [...portsOf(requests), ...(everywhere ? [undefined] : [])];
  return ports.map((port) => {
    const [first] = requests.filter((each) => each.port === port);
    const others = hostsOn(port, requests).find(isAnyHost)?.cluster;
    return {
      name: `meshpassthrough_${first?.protocol ?? "http"}_${port ?? "*"}`,
      when: { port, http: true },
      to: hostsAnd(others, port, requests),
    };
  });
}

function hostsAnd(
  others: string | undefined,
  port: number | undefined,
  requests: readonly DomainMatch[],
): PassthroughChain["to"] {
  const hosts = hostsOn(port, requests).filter((host) => !isAnyHost(host));
  return { hosts, ...(others === undefined ? {} : { others }) };
}

function isAnyHost({ domains }: PassthroughHost): boolean {
  return domains.includes("*");
}

function portsOf(matches: readonly Match[]): readonly number[] {
  return [...new Set(matches.flatMap(({ port }) => port ?? []))].toSorted((a, b) => a - b);
}

/** Hosts for a port: those listed with it, and those listed for all ports. */
function hostsOn(port: number | undefined, requests: readonly DomainMatch[]): readonly PassthroughHost[] {
  const here = requests.filter((each) => each.port === undefined || each.port === port).toSorted(byDomain);
  const first = here.filter(({ to }, index) => here.findIndex((other) => other.to.domain === to.domain) === index);
  return first.map((match) => ({
    name: match.to.domain,
    domains: spellings(match),
    cluster: clusterName(match),
  }));
}

// A Host header may name the port as well.
function spellings({ to: { domain }, port }: DomainMatch): readonly string[] {
  if (domain === "*") return ["*"];
  return [domain, `${domain}:${port ?? "*"}`];
}

function byDomain(a: DomainMatch, b: DomainMatch): number {
  return (
    Number(isWildcard(a)) - Number(isWildcard(b)) ||
    parts(b) - parts(a) ||
    compare(a.to.domain, b.to.domain) ||
    byPort(a, b)
  );
}

function isWildcard({ to: { domain } }: DomainMatch): boolean {
  return domain.startsWith("*");
}

function parts({ to: { domain } }: DomainMatch): number {
  return domain.split(".").length;
}

const WITHIN_RANGE: readonly Protocol[] = ["tls", "http", "http2", "grpc", "mysql", "tcp"];

function byRange(a: RangeMatch, b: RangeMatch): number {
  const [left, right] = [a.to.range, b.to.range];
  return (
    right.prefix - left.prefix ||
    compare(left.address, right.address) ||
    byPort(a, b) ||
    WITHIN_RANGE.indexOf(a.protocol) - WITHIN_RANGE.indexOf(b.protocol)
  );
}

function byPort(a: Match, b: Match): number {
  return (a.port ?? Number.MAX_SAFE_INTEGER) - (b.port ?? Number.MAX_SAFE_INTEGER);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDomain(match: Match): match is DomainMatch {
  return "domain" in match.to;
}

function isRange(match: Match): match is RangeMatch {
  return "range" in match.to;
}

function isRequests(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}
