import { keyText, type NewResource, type Resource, type ResourceKey } from "@heddle/model/resource.ts";
import { StoreError } from "@heddle/model/store.ts";

/** The part of a resource that its writer decides, besides the key. */
export type Content = Pick<NewResource, "labels" | "spec" | "status">;

/** A resource on its way in: a frozen copy of the content, and the same content as the JSON that a log keeps. */
export interface Draft {
  readonly key: ResourceKey;
  readonly content: Content;
  readonly json: string;
}

/** What the store adds to a draft. */
export type Stamp = Pick<Resource, "creationTime" | "modificationTime" | "version">;

/**
 * Copies what a caller hands in, through JSON: what is in memory is then exactly what a restart would read, and nobody
 * outside holds a reference to it. Throws StoreError "invalid" for a key or a content that cannot be kept.
 */
export function draftOf(resource: NewResource): Draft {
  const key = checkedKey(resource);
  const { labels, spec, status } = resource;
  try {
    const json = JSON.stringify({ labels, spec, status });
    return { key, json, content: contentOf(json) };
  } catch (cause) {
    throw new StoreError("invalid", `Cannot store "${keyText(key)}": its content is not JSON`, { cause });
  }
}

/** Reads content that `draftOf` wrote. Throws SyntaxError for anything that is not JSON. */
export function contentOf(json: string): Content {
  return freezeDeep(JSON.parse(json) as Content);
}

/** Puts key, content and stamp together to a frozen resource. */
export function resourceOf({ type, mesh, name }: ResourceKey, content: Content, stamp: Stamp): Resource {
  const { creationTime, modificationTime, version } = stamp;
  return Object.freeze({ type, mesh, name, ...content, creationTime, modificationTime, version });
}

function checkedKey({ type, mesh, name }: ResourceKey): ResourceKey {
  for (const part of [type, mesh, name]) {
    // Databases keep text as UTF-8 that ends at NUL: half a surrogate pair, or NUL, would come back as another name.
    if (part.includes("\0") || !part.isWellFormed()) {
      const shown = JSON.stringify(part);
      throw new StoreError("invalid", `Cannot store ${shown}: a name must be Unicode text without the character NUL`);
    }
  }
  return { type, mesh, name };
}

function freezeDeep<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) freezeDeep(part);
    Object.freeze(value);
  }
  return value;
}
