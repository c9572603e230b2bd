import type { KindRegistry } from "@heddle/model/kind.ts";
import { type DataplaneSpec, tagSets } from "@heddle/model/kinds/dataplane.ts";
import { displayName, LABEL, type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Reader, Verdict, WriteGuard } from "../ports.ts";
import { type Reference, referencesIn } from "./references.ts";

// A policy with hundreds of rules gets its first complaints, not hundreds of reads of the store.
const MOST_REFERENCES = 100;

/**
 * Warns of references that find nothing now: a policy that selects no proxy, a route to a service that does not exist.
 * Not refused, as things may come in any order.
 */
export function danglingGuard(kinds: KindRegistry): WriteGuard {
  return async (write, read): Promise<Verdict> => {
    if (write.operation === "delete" || write.kind.scope === "Global") return {};
    const { spec, mesh } = write.resource;
    const root = write.kind.shape === "plugin" ? "spec" : "";
    const references = referencesIn(spec, root).slice(0, MOST_REFERENCES);
    const warnings = await Promise.all(
      references.map((reference) =>
        warningFor(reference, kinds, { read, mesh, isPolicy: write.kind.policy !== undefined }),
      ),
    );
    return { warnings: warnings.flatMap((warning) => (warning === undefined ? [] : [warning])) };
  };
}

interface Around {
  readonly read: Reader;
  readonly mesh: string;
  readonly isPolicy: boolean;
}

async function warningFor(reference: Reference, kinds: KindRegistry, around: Around): Promise<string | undefined> {
  const { field, kind } = reference;
  const what = describe(reference);
  if (isProxyReference(reference)) {
    if (await anyProxy(reference, around)) return undefined;
    const consequence =
      field === "spec.targetRef" && around.isPolicy ? "the policy selects no proxy now" : "no proxy is meant now";
    return `${field}: there is no data plane proxy ${what} in mesh "${around.mesh}"; ${consequence}`;
  }
  if (kinds.byType(kind) === undefined || (await anyResource(reference, around))) return undefined;
  // Kuma 2.x: services exist by the tags of proxies alone.
  if (kind === "MeshService" && reference.name !== undefined && (await anyService(reference.name, around)))
    return undefined;
  return `${field}: there is no ${kind} ${what} in mesh "${around.mesh}" now`;
}

function isProxyReference({ kind }: Reference): boolean {
  return kind === "Dataplane" || kind === "MeshSubset";
}

async function anyProxy(reference: Reference, { read, mesh }: Around): Promise<boolean> {
  const page = await read.list({
    type: "Dataplane",
    mesh,
    size: 1,
    where: (proxy) => selects(reference, proxy) && hasTags(proxy, reference.tags ?? {}),
  });
  return page.total > 0;
}

async function anyResource(reference: Reference, { read, mesh }: Around): Promise<boolean> {
  // Nearly every reference is met by the name itself: a look at each resource of the kind is for the others.
  const { name, kind: type } = reference;
  if (name !== undefined && reference.labels === undefined) {
    if ((await read.get({ type, mesh, name })) !== undefined) return true;
  }
  const page = await read.list({ type: reference.kind, mesh, size: 1, where: (each) => selects(reference, each) });
  return page.total > 0;
}

async function anyService(name: string, { read, mesh }: Around): Promise<boolean> {
  const where = (proxy: Resource): boolean => hasTags(proxy, { [LABEL.service]: name });
  return (await read.list({ type: "Dataplane", mesh, size: 1, where })).total > 0;
}

function selects({ name, labels }: Reference, resource: Resource): boolean {
  if (name !== undefined && name !== resource.name && name !== displayName(resource)) return false;
  return matchesLabels(labels ?? {}, resource.labels);
}

function hasTags(proxy: Resource, tags: Labels): boolean {
  if (Object.keys(tags).length === 0) return true;
  const sets = tagSets(proxy.spec as DataplaneSpec);
  return [...sets, proxy.labels].some((set) => matchesLabels(tags, set));
}

function describe({ name, labels, tags }: Reference): string {
  if (name !== undefined) return `"${name}"`;
  const selector = Object.entries({ ...labels, ...tags }).map(([key, value]) => `${key}=${value}`);
  return `with ${selector.join(", ") || "these labels"}`;
}
