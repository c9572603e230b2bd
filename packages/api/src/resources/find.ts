import type { Kind, KindRegistry } from "@heddle/model/kind.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { nearest } from "@heddle/model/schema.ts";
import { notFound } from "../http/api-error.ts";
import type { Reader } from "../ports.ts";

/** Makes sure that a mesh exists. Throws ApiError 404. */
export async function requireMesh(read: Reader, mesh: string): Promise<void> {
  if ((await read.get({ type: "Mesh", mesh: "", name: mesh })) !== undefined) return;
  throw notFound("mesh", await missingText(read, { type: "Mesh", mesh: "", name: mesh }));
}

/** The resource, whose mesh must exist too. Throws ApiError 404 that names a near one. */
export async function requireResource(
  read: Reader,
  kind: Kind,
  key: { mesh: string; name: string },
): Promise<Resource> {
  if (kind.scope === "Mesh") await requireMesh(read, key.mesh);
  const resource = await read.get({ type: kind.type, mesh: key.mesh, name: key.name });
  if (resource !== undefined) return resource;
  throw notFound("name", await missingText(read, { type: kind.type, ...key }));
}

/** A kind that the API cannot do without. Throws when the registry lacks it, which is our mistake. */
export function kindOf(kinds: KindRegistry, type: string): Kind {
  const kind = kinds.byType(type);
  if (kind === undefined) throw new RangeError(`Cannot serve "${type}": the registry does not know this kind`);
  return kind;
}

async function missingText(read: Reader, key: { type: string; mesh: string; name: string }): Promise<string> {
  const { items } = await read.list({ type: key.type, mesh: key.mesh, size: 1_000 });
  const near = nearest(
    key.name,
    items.map((item) => item.name),
  );
  const where = key.mesh === "" ? "" : ` in mesh "${key.mesh}"`;
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return `there is no ${key.type} "${key.name.slice(0, 100)}"${where}${hint}`;
}
