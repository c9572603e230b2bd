import type { ConfigOptions } from "@heddle/api/ports.ts";
import type { ConfigReport } from "@heddle/api/reports.ts";
import { type Compiled, compile, discovered, endpointOrder } from "@heddle/engine/compile.ts";
import { loadAssignment } from "@heddle/engine/emit/endpoints.ts";
import { endpointsOf } from "@heddle/engine/plan/resolve.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { withOwnResources } from "../mesh/with-own-resources.ts";
import { envoyJson } from "./envoy-json.ts";
import { jsonPatch } from "./json-patch.ts";
import type { InspectOptions } from "./options.ts";
import { withShadowPolicies } from "./shadow.ts";
import { mapInSlices } from "./slices.ts";
import type { Subject } from "./subject.ts";

type Dump = Record<string, Record<string, unknown>>;

/** What a proxy has, or would have if it were connected, without secrets; with shadow policies if asked for. */
export async function configReport(
  options: InspectOptions,
  { snapshot, entry, compiled, proxy }: Subject,
  { shadow, includeDiff }: ConfigOptions,
): Promise<ConfigReport> {
  const held = proxy !== undefined && proxy.set.size > 0 ? proxy.set : undefined;
  const now = held ?? resourcesOf(snapshot, compiled);
  const underTrial = (): Compiled => compile(withShadowPolicies(snapshot), entry, options.policies, options.memo);
  const wanted = shadow ? withSecretsOf(now, resourcesOf(snapshot, withOwnResources(underTrial(), entry, proxy))) : now;
  const xds = await dump(wanted, options.sliceMillis);
  if (!includeDiff) return { xds };
  return { xds, diff: shadow ? jsonPatch(await dump(now, options.sliceMillis), xds) : [] };
}

/** All that a proxy needs but secrets, whose content is not computed but issued. */
export function resourcesOf(mesh: MeshSnapshot, compiled: Compiled): ResourceSet {
  const endpoints = discovered(compiled).map((destination): [string, EncodedResource] => [
    destination.key,
    loadAssignment(destination.key, endpointsOf(mesh, destination), endpointOrder(compiled, destination)),
  ]);
  return new Map(compiled.resources).set(TYPE_URL.endpoint, new Map(endpoints));
}

// Policies do not change who a proxy is, so what it holds stays.
function withSecretsOf(held: ResourceSet, set: ResourceSet): ResourceSet {
  const secrets = held.get(TYPE_URL.secret);
  return secrets === undefined ? set : new Map(set).set(TYPE_URL.secret, secrets);
}

async function dump(set: ResourceSet, sliceMillis: number): Promise<Dump> {
  const types = [...set].filter(([, resources]) => resources.size > 0).toSorted(byKey);
  const dumped: Dump = Object.fromEntries(types.map(([typeUrl]) => [typeUrl, {}]));
  const resources = types.flatMap(([typeUrl, named]) =>
    [...named].toSorted(byKey).map(([, each]) => [typeUrl, each] as const),
  );
  await mapInSlices(resources, sliceMillis, ([typeUrl, resource]) => {
    const type = dumped[typeUrl];
    if (type !== undefined) type[resource.name] = envoyJson(resource);
  });
  return dumped;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
