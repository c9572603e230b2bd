import type { KindRegistry } from "@heddle/model/kind.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { LEGACY_KINDS, legacyKindOf } from "@heddle/model/legacy/index.ts";
import { present, type Presented, summary } from "@heddle/model/legacy/present.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Reader, Verdict, WriteGuard } from "../ports.ts";

/**
 * Says of a resource of Kuma 2.x what it becomes, what of it is lost and what silences it; and of a policy of today what
 * it silences of Kuma 2.x.
 */
export function legacyGuard(kinds: KindRegistry): WriteGuard {
  return async (write, read): Promise<Verdict> => {
    if (write.operation === "delete" || write.kind.scope === "Global") return {};
    const { resource } = write;
    const isLegacy = legacyKindOf(resource.type) !== undefined;
    return { warnings: isLegacy ? await aboutLegacy(kinds, resource, read) : await aboutToday(resource, read) };
  };
}

async function aboutLegacy(kinds: KindRegistry, resource: NewResource, read: Reader): Promise<readonly string[]> {
  const stored = await read.get({ type: "Mesh", mesh: "", name: resource.mesh });
  const presented = present(resource, { name: resource.mesh, spec: (stored?.spec ?? {}) as MeshSpec });
  if (presented === undefined) return [];
  const where = presented.documents.length === 0 ? "" : `; heddle translate shows it`;
  return [
    `${summary(resource, presented)}${where}`,
    ...presented.notes,
    ...unserved(kinds, presented),
    ...(await winners(kinds, resource, presented, read)),
    ...(await strangers(resource, read)),
  ];
}

async function strangers({ type, mesh }: NewResource, read: Reader): Promise<readonly string[]> {
  if (legacyKindOf(type)?.legacy.side !== "server") return [];
  const identities = await namesOf(read, "MeshIdentity", mesh);
  if (identities === undefined) return [];
  return [
    `sources: proxies that have their identity from ${identities} do not know these callers: certificates of Kuma 3 carry no tags`,
  ];
}

function typesIn({ documents }: Presented): readonly string[] {
  return [...new Set(documents.map(({ type }) => type))];
}

function unserved(kinds: KindRegistry, presented: Presented): readonly string[] {
  return typesIn(presented)
    .filter((type) => kinds.byType(type) === undefined)
    .map((type) => `${type} has no effect until this control plane serves that kind`);
}

async function winners(
  kinds: KindRegistry,
  { type, mesh }: NewResource,
  presented: Presented,
  read: Reader,
): Promise<readonly string[]> {
  if (legacyKindOf(type)?.legacy.staysBeside === true) return [];
  const served = typesIn(presented).filter((each) => kinds.byType(each) !== undefined);
  const found = await Promise.all(served.map((each) => namesOf(read, each, mesh)));
  return found.flatMap((names) => (names === undefined ? [] : [`${names} of today wins over it wherever it applies`]));
}

async function aboutToday({ type, mesh }: NewResource, read: Reader): Promise<readonly string[]> {
  const silenced = LEGACY_KINDS.filter(({ legacy }) => legacy.becomes.includes(type) && legacy.staysBeside !== true);
  const found = await Promise.all(silenced.map((kind) => namesOf(read, kind.type, mesh)));
  return found.flatMap((names) =>
    names === undefined ? [] : [`${names} of Kuma 2.x gives way to it wherever it applies`],
  );
}

/** "Timeout "a" and 3 more"; undefined when there is none. */
async function namesOf(read: Reader, type: string, mesh: string): Promise<string | undefined> {
  const { items, total } = await read.list({ type, mesh, size: 1 });
  const [first] = items;
  if (first === undefined) return undefined;
  return `${type} "${first.name}"${total > 1 ? ` (and ${total - 1} more)` : ""}`;
}
