import { UsageError } from "../cli-error.ts";
import { isRecord, record, records, text } from "../json.ts";
import { pathOf, type Api } from "./api.ts";

/** A type of resource as the control plane lists it. */
export interface ResourceType {
  readonly name: string;
  /** Segment in REST paths: the plural in lower case. */
  readonly path: string;
  readonly scope: "Mesh" | "Global";
  readonly shortName: string;
  readonly singular: string;
  readonly plural: string;
  readonly readOnly: boolean;
  readonly isPolicy: boolean;
}

/** The types that a control plane serves. https://kuma.io/docs/latest/reference/http-api/ (`/_resources`) */
export async function listTypes(api: Api): Promise<readonly ResourceType[]> {
  const answer = record(await api.json({ path: "/_resources", action: "list the resource types" }));
  return records(answer["resources"]).flatMap((entry) => {
    const name = text(entry["name"]);
    const path = text(entry["path"]);
    if (name === undefined || path === undefined) return [];
    return [
      {
        name,
        path,
        scope: entry["scope"] === "Global" ? "Global" : "Mesh",
        shortName: text(entry["shortName"]) ?? "",
        singular: text(entry["singularDisplayName"]) ?? name,
        plural: text(entry["pluralDisplayName"]) ?? path,
        readOnly: entry["readOnly"] === true,
        isPolicy: isRecord(entry["policy"]),
      },
    ];
  });
}

/** The type that a user's word means: its name, path, singular, plural or short name, in any case, with or without dashes. */
export async function resolveType(types: readonly ResourceType[], word: string): Promise<ResourceType> {
  const wanted = fold(word);
  const found = types.find((type) => namesOf(type).some((name) => fold(name) === wanted));
  if (found !== undefined) return found;
  // Only a mistake pays for loading what finds near names.
  const { nearest } = await import("@heddle/model/schema.ts");
  const near = nearest(
    wanted,
    types.flatMap((type) => [...new Set([type.path, fold(type.name)])]),
  );
  throw new UsageError(`Cannot find resource type "${word}": the control plane knows no such type`, {
    next: [...(near === undefined ? [] : [`Did you mean "${near}"?`]), "All types: heddle get"],
  });
}

/** The path of all resources of a type in a mesh, of one of them, or (mesh undefined) of those in all meshes. */
export function resourcePath(type: ResourceType, mesh: string | undefined, ...rest: readonly string[]): string {
  return type.scope === "Mesh" && mesh !== undefined
    ? pathOf("meshes", mesh, type.path, ...rest)
    : pathOf(type.path, ...rest);
}

/** One resource at a control plane. The mesh means nothing for types that belong to none. */
export interface Address {
  readonly type: ResourceType;
  readonly mesh: string;
  readonly name: string;
}

/** How messages name a resource: "MeshTimeout default/slow", "Mesh default". */
export function addressText({ type, mesh, name }: Address): string {
  return type.scope === "Mesh" ? `${type.name} ${mesh}/${name}` : `${type.name} ${name}`;
}

/** The path of one resource, or of something below it. */
export function addressPath({ type, mesh, name }: Address, ...rest: readonly string[]): string {
  return resourcePath(type, mesh, name, ...rest);
}

function namesOf(type: ResourceType): readonly string[] {
  return [type.name, type.path, type.shortName, type.singular, type.plural].filter((name) => name !== "");
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, "");
}
