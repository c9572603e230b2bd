import type { NewResource, Resource } from "@heddle/model/resource.ts";

let planned = 0;

/**
 * A resource as if it had been written. Its version is one that no store gives out and nobody else gets: results that
 * are remembered by version never mix up what is with what could be.
 */
export function asStored(resource: NewResource, previous: Resource | undefined, now: Date): Resource {
  planned += 1;
  const modificationTime = now.toISOString();
  return {
    ...resource,
    creationTime: previous?.creationTime ?? modificationTime,
    modificationTime,
    version: -planned,
  };
}
