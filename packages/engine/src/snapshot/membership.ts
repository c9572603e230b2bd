import type { Inbound } from "@heddle/model/kinds/dataplane.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import { displayName, LABEL, type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Index } from "./index-draft.ts";
import type { DataplaneEntry, MeshSnapshot } from "./snapshot.ts";

type Proxy = DataplaneEntry["resource"];

/** The service keys a proxy is an instance of, or would be: what a change of it touches. */
export function servicesOf(services: MeshSnapshot["services"], { resource }: DataplaneEntry): readonly string[] {
  return [...serviceTags(resource), ...namesOf([...services.keys()], services, resource)];
}

/** The same, found by an index of what selectors ask for: it takes the longer the more labels a proxy has, and no more. */
export function servicesByFeature(
  services: MeshSnapshot["services"],
  selectors: Index,
  proxy: Proxy,
): readonly string[] {
  const candidates = new Set<string>();
  for (const feature of featuresOf(proxy)) for (const name of selectors.get(feature) ?? []) candidates.add(name);
  return [...serviceTags(proxy), ...namesOf([...candidates], services, proxy)];
}

/** Whether a service selects a proxy. */
export function isMember({ selector }: MeshServiceSpec, proxy: Proxy): boolean {
  const { dataplaneRef, dataplaneLabels, dataplaneTags } = selector ?? {};
  if (dataplaneRef !== undefined) return displayName(proxy) === dataplaneRef.name;
  if (dataplaneLabels !== undefined) return matchesLabels(dataplaneLabels.matchLabels, proxy.labels);
  if (dataplaneTags === undefined) return false;
  return inboundsOf(proxy).some((inbound) => matchesLabels(dataplaneTags, inbound.tags ?? {}));
}

/** One thing that every proxy has which this service selects; undefined when it selects none. */
export function requiredFeature({ selector }: MeshServiceSpec): string | undefined {
  const { dataplaneRef, dataplaneLabels, dataplaneTags } = selector ?? {};
  if (dataplaneRef !== undefined) return `name ${dataplaneRef.name}`;
  if (dataplaneLabels !== undefined) return `label ${mostTelling(dataplaneLabels.matchLabels)}`;
  return dataplaneTags === undefined ? undefined : `tag ${mostTelling(dataplaneTags)}`;
}

function featuresOf(proxy: Proxy): readonly string[] {
  const tags = inboundsOf(proxy).flatMap((inbound) => pairs(inbound.tags ?? {}).map((pair) => `tag ${pair}`));
  const labels = pairs(proxy.labels).map((pair) => `label ${pair}`);
  const anything = inboundsOf(proxy).length === 0 ? ["label "] : ["label ", "tag "];
  return [`name ${displayName(proxy)}`, ...labels, ...tags, ...anything];
}

/** Everything a selector may ask of labels: each with its value, and that it is there at all. */
function pairs(labels: Labels): readonly string[] {
  return Object.entries(labels).flatMap(([key, value]) => [`${key}=${value}`, `${key}=*`]);
}

// The longest pair is most likely that of the service ("app=checkout") and not of its surroundings ("env=prod").
function mostTelling(labels: Labels): string {
  const all = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const [longest = ""] = all.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return longest;
}

function serviceTags(proxy: Proxy): readonly string[] {
  const keys = inboundsOf(proxy).flatMap(({ tags }) => {
    const service = tags?.[LABEL.service];
    return service === undefined ? [] : [`Service/${service}`];
  });
  return keys.length > 1 ? [...new Set(keys)] : keys;
}

function namesOf(names: readonly string[], services: MeshSnapshot["services"], proxy: Proxy): readonly string[] {
  return names.flatMap((name) => {
    const service = services.get(name);
    return service !== undefined && isMember(service.spec, proxy) ? [`MeshService/${name}`] : [];
  });
}

function inboundsOf(proxy: Proxy): readonly Inbound[] {
  return proxy.spec.networking.inbound ?? [];
}
