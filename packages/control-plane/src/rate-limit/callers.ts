import type { Compiled } from "@heddle/engine/compile.ts";
import { servicesByFeature } from "@heddle/engine/snapshot/membership.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import { RateLimitFailure } from "@heddle/xds/rate-limit/hooks.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Proxy } from "../mesh/proxy.ts";
import { limitsOfProxy, type ProxyLimit } from "./limits-of-proxy.ts";
import { readCaller } from "./keys.ts";

/** What is known of a proxy that asks, kept for as long as its configuration is the same. */
export interface Caller {
  readonly mesh: string;
  /** A limit of the proxy by the text of its descriptor, or of what it had before: a change reaches Envoy a little later. */
  limitFor(text: string): ProxyLimit | undefined;
  /** The services whose instance the proxy is: each has a count of its own. */
  servicesFor(limit: ProxyLimit): readonly string[];
}

interface Known {
  readonly compiled: Compiled;
  readonly services: MeshSnapshot["services"];
  readonly limits: ReadonlyMap<string, ProxyLimit>;
  readonly older: ReadonlyMap<string, ProxyLimit>;
  readonly caller: Caller;
}

/** Finds out who asks, by the URI in its certificate. Throws RateLimitFailure for whoever is no proxy of ours. */
export function callersOf(meshes: Pick<Meshes, "get">): (uri: string) => Caller {
  const known = new WeakMap<Proxy, Known>();
  return (uri) => {
    const key = readCaller(uri);
    if (key === undefined) throw new RateLimitFailure("permission_denied", "Cannot count: the caller is no proxy");
    const runtime = meshes.get(key.mesh);
    const proxy = runtime?.proxies.get(key.name);
    const compiled = proxy?.compiled;
    if (runtime === undefined || proxy === undefined || compiled === undefined) {
      const text = `Cannot count for "${key.mesh}/${key.name}": it is not connected to this control plane`;
      throw new RateLimitFailure("unavailable", text);
    }
    const { snapshot } = runtime;
    const before = known.get(proxy);
    if (before?.compiled === compiled && before.services === snapshot.services) return before.caller;
    const now = lookAt(compiled, snapshot, before);
    known.set(proxy, now);
    return now.caller;
  };
}

function lookAt(compiled: Compiled, snapshot: MeshSnapshot, before: Known | undefined): Known {
  const isNew = before === undefined || before.compiled.inbounds !== compiled.inbounds;
  const limits = isNew ? limitsOfProxy(compiled) : before.limits;
  const older = isNew ? (before?.limits ?? limits) : before.older;
  const services = servicesOfProxy(compiled, snapshot);
  const caller: Caller = {
    mesh: snapshot.mesh.name,
    limitFor: (text) => limits.get(text) ?? older.get(text),
    servicesFor: ({ serviceTag }) => (serviceTag === undefined ? services : [serviceTag]),
  };
  return { compiled, services: snapshot.services, limits, older, caller };
}

/** MeshServices that select the proxy; before there are any, what their generator will call the one it makes. */
function servicesOfProxy({ proxy: { resource } }: Compiled, { services, selectors }: MeshSnapshot): readonly string[] {
  const prefix = "MeshService/";
  const names = servicesByFeature(services, selectors, resource)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  return names.length > 0 ? names : [resource.labels[LABEL.workload] ?? displayName(resource)];
}
