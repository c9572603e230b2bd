import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { ProxyKey } from "@heddle/api/ports.ts";
import type { AdminKeys } from "./admin-keys.ts";
import { adminResources } from "./admin-resources.ts";
import { type AdminTarget, inspectAddress } from "./admin-target.ts";

/** The port through which control planes look into one connected proxy. */
export interface InspectPort {
  readonly target: AdminTarget;
  /** What its Envoy needs for it on a Dataplane with this address; nothing when there can be no such port. */
  resourcesOn(address: string): readonly EncodedResource[];
}

/** Makes what is needed at the first call for an address, and keeps it: it stays the same for as long as the stream. */
export function inspectPort(keys: AdminKeys, { mesh, name }: ProxyKey, target: AdminTarget): InspectPort {
  let known: { readonly address: string; readonly resources: readonly EncodedResource[] } | undefined;
  return {
    target,
    resourcesOn: (address) => {
      if (known?.address !== address) known = { address, resources: make(address) };
      return known.resources;
    },
  };

  function make(address: string): readonly EncodedResource[] {
    const at = inspectAddress(target, address);
    if (at === undefined) return [];
    return adminResources({
      ...target,
      ...at,
      certificate: keys.certificateOf(mesh, name),
      callersPem: keys.callersPem,
    });
  }
}
