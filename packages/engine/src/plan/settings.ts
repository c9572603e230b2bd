import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { Change, Conflict, HttpFilter, NetworkFilter, Origin, Settings } from "./plan.ts";
import type { Tracing } from "./tracing.ts";
import { HTTP_STAGES, NETWORK_STAGES } from "./plan.ts";

/** What one kind of policy wants for one unit (an inbound, a destination), and from where it got that. */
export interface Proposal {
  readonly kind: string;
  readonly origins: readonly Origin[];
  readonly change: Change;
}

/** Settings before any policy: nothing is set. */
export const NO_SETTINGS: Settings = {
  route: {},
  cluster: {},
  connection: {},
  tls: {},
  httpFilters: [],
  networkFilters: [],
  accessLogs: [],
  resources: [],
  callers: [],
};

/** Differs when settings differ that end up in a listener. */
export function listenerText(settings: Settings): string {
  const { connection, httpFilters, networkFilters, accessLogs, tracing, callers } = settings;
  const filters = [...[...httpFilters, ...networkFilters].map(extensionText), accessLogsText(accessLogs)];
  return `${JSON.stringify(connection)}${filters.join()}${tracingText(tracing)}${needsServerName(callers)}`;
}

/** Differs when access logs differ. */
export function accessLogsText(logs: Settings["accessLogs"]): string {
  return logs.map(({ callers, routes, ...log }) => extensionText(log) + JSON.stringify([callers, routes])).join();
}

function tracingText(tracing: Tracing | undefined): string {
  return tracing === undefined ? "" : JSON.stringify({ ...tracing, provider: extensionText(tracing.provider) });
}

function extensionText({ name, config }: Extension): string {
  return `${name} ${textOf(config.value)}`;
}
type Extension = Pick<HttpFilter, "name" | "config">;

/** Whether a listener has to remember the server name that its callers ask for. */
export function needsServerName(callers: Settings["callers"]): boolean {
  return callers.some((list) => list.some(({ match }) => match.sni !== undefined));
}

/** Differs when connections with mutual TLS are made differently. */
export function tlsText({ tls }: Settings): string {
  return JSON.stringify(tls);
}

/** Differs when settings differ that end up in a cluster. */
export function clusterText({ cluster }: Settings): string {
  return JSON.stringify(cluster);
}

/**
 * Puts what the policies want on top of the base. Each field is one slot: when two kinds want different things in it,
 * the later kind in the list has it, and the other is reported with the origins of both.
 */
export function applyProposals(
  base: Settings,
  proposals: readonly Proposal[],
  unit: string,
): { readonly settings: Settings; readonly conflicts: readonly Conflict[] } {
  const owners = new Map<string, { proposal: Proposal; value: unknown }>();
  const conflicts: Conflict[] = [];
  const claim = (proposal: Proposal, slot: string, value: unknown): void => {
    const owner = owners.get(slot);
    if (owner !== undefined && canonicalJson(plain(owner.value)) !== canonicalJson(plain(value))) {
      conflicts.push({ slot, unit, kept: by(proposal), dropped: by(owner.proposal) });
    }
    owners.set(slot, { proposal, value });
  };
  const settings = proposals.reduce((weak, proposal) => merged(weak, proposal, claim), base);
  return { settings: sortedFilters(settings), conflicts };
}

type Claim = (proposal: Proposal, slot: string, value: unknown) => void;

function merged(weak: Settings, proposal: Proposal, claim: Claim): Settings {
  const { route, cluster, connection, tls, httpFilters = [], networkFilters = [], callers = [] } = proposal.change;
  const { accessLogs = [], tracing, resources = [], endpoints } = proposal.change;
  if (endpoints !== undefined) claim(proposal, "endpoints", endpoints);
  if (tracing !== undefined) claim(proposal, "tracing", tracingText(tracing));
  for (const filter of [...httpFilters, ...networkFilters])
    claim(proposal, `filter ${filter.name}`, filter.config.value);
  const filters = { ...weak.route.filters, ...route?.filters };
  return {
    route: {
      ...weak.route,
      ...claimed("route", { ...route, filters: undefined }, proposal, claim),
      ...(Object.keys(filters).length > 0 ? { filters } : {}),
    },
    cluster: { ...weak.cluster, ...claimed("cluster", cluster ?? {}, proposal, claim) },
    connection: { ...weak.connection, ...claimed("connection", connection ?? {}, proposal, claim) },
    tls: { ...weak.tls, ...claimed("tls", tls ?? {}, proposal, claim) },
    httpFilters: withFilters<HttpFilter>(weak.httpFilters, httpFilters),
    networkFilters: withFilters<NetworkFilter>(weak.networkFilters, networkFilters),
    endpoints: endpoints ?? weak.endpoints,
    accessLogs: [...weak.accessLogs, ...accessLogs],
    tracing: tracing ?? weak.tracing,
    resources: [...weak.resources, ...resources],
    callers: callers.length === 0 ? weak.callers : [...weak.callers, callers],
  };
}

function claimed(group: string, fields: object, proposal: Proposal, claim: Claim): object {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  for (const [field, value] of set) claim(proposal, `${group}.${field}`, value);
  return Object.fromEntries(set);
}

function withFilters<Filter extends { readonly name: string }>(
  old: readonly Filter[],
  added: readonly Filter[],
): readonly Filter[] {
  const names = new Set(added.map(({ name }) => name));
  return [...old.filter(({ name }) => !names.has(name)), ...added];
}

function sortedFilters(settings: Settings): Settings {
  return {
    ...settings,
    httpFilters: settings.httpFilters.toSorted(
      (a, b) => HTTP_STAGES.indexOf(a.stage) - HTTP_STAGES.indexOf(b.stage) || byName(a, b),
    ),
    networkFilters: settings.networkFilters.toSorted(
      (a, b) => NETWORK_STAGES.indexOf(a.stage) - NETWORK_STAGES.indexOf(b.stage) || byName(a, b),
    ),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function by({ kind, origins }: Proposal): Conflict["kept"] {
  return { kind, origins };
}

// Bytes compare by their content.
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? textOf(value) : value;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
