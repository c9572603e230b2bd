import type { NewResource, Resource } from "@heddle/model/resource.ts";

let planned = 0;

/** A resource as if it had been written. No store gives out such a version: what could be is never taken for what is. */
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
