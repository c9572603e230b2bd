import { loadAssignment } from "@heddle/engine/emit/endpoints.ts";
import { type CallerOrder, relevantOrder } from "@heddle/engine/plan/locality.ts";
import type { Endpoint } from "@heddle/engine/snapshot/service-view.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";

/** The instances of destinations in Envoy's form: encoded once for all callers with the same order. */
export class Assignments {
  readonly #known = new Map<string, Known>();

  /** Who serves a destination, in a caller's order; `key` is the destination's. */
  get(key: string, endpoints: readonly Endpoint[], order: CallerOrder): EncodedResource {
    const { byOrder } = this.#current(key, endpoints);
    const found = byOrder.get(order.key);
    if (found !== undefined) return found;
    const relevant = relevantOrder(order, endpoints);
    const resource = byOrder.get(relevant.key) ?? loadAssignment(key, endpoints, relevant);
    byOrder.set(relevant.key, resource);
    byOrder.set(order.key, resource);
    return resource;
  }

  #current(key: string, endpoints: readonly Endpoint[]): Known {
    const known = this.#known.get(key);
    if (known?.endpoints === endpoints) return known;
    // A list that was made anew may still say the same; then nothing is encoded again.
    const isSame = known !== undefined && JSON.stringify(known.endpoints) === JSON.stringify(endpoints);
    const current: Known = { endpoints, byOrder: isSame ? known.byOrder : new Map() };
    this.#known.set(key, current);
    return current;
  }
}

interface Known {
  readonly endpoints: readonly Endpoint[];
  readonly byOrder: Map<string, EncodedResource>;
}
