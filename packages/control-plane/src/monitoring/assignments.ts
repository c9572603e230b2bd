import { isIP } from "node:net";
import { match, proxyConf } from "@heddle/engine/match/match.ts";
import type { Memo } from "@heddle/engine/memo.ts";
import { serviceOf } from "@heddle/engine/proxy-facts.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { meshMetric } from "@heddle/policies/mesh-metric/policy.ts";
import { PROMETHEUS_PATH, PROMETHEUS_PORT } from "@heddle/policies/mesh-metric/prometheus.ts";
import type { MetricConf, PrometheusConf } from "@heddle/policies/mesh-metric/schema.ts";

/** Kuma's name for the type of what Prometheus gets. */
export const ASSIGNMENT_TYPE = "type.googleapis.com/kuma.observability.v1.MonitoringAssignment";

/** Kuma's MonitoringAssignment in the JSON form of its message: where Prometheus finds one proxy. */
export interface Assignment {
  readonly "@type": typeof ASSIGNMENT_TYPE;
  readonly mesh: string;
  readonly service: string;
  readonly targets: readonly {
    readonly name: string;
    readonly scheme: "http" | "https";
    readonly address: string;
    readonly metrics_path: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  readonly labels: Readonly<Record<string, string>>;
}

/** All that one Prometheus is to ask. The same content has the same version. */
export interface Assignments {
  readonly version: string;
  readonly resources: readonly Assignment[];
}

interface Addressed {
  /** Undefined: for whoever has no backend under its own name. */
  readonly clientId: string | undefined;
  readonly assignment: Assignment;
}

/**
 * Where a Prometheus finds the proxies of these meshes: those whose MeshMetric has its name as `clientId`, or when none
 * has, those without one.
 */
export function assignmentsFor(clientId: string, meshes: Iterable<MeshSnapshot>, memo: Memo): Assignments {
  const all = [...meshes].flatMap((mesh) => assignmentsOf(mesh, memo));
  const wanted = all.some((each) => each.clientId === clientId) ? clientId : undefined;
  const resources = all.filter((each) => each.clientId === wanted).map(({ assignment }) => assignment);
  return { version: contentHash(resources), resources };
}

function assignmentsOf(mesh: MeshSnapshot, memo: Memo): readonly Addressed[] {
  const known = ofSnapshot.get(mesh);
  if (known !== undefined) return known;
  const isConcerned = (mesh.policies.get(meshMetric.kind.type) ?? []).length > 0;
  const proxies = isConcerned ? [...mesh.dataplanes.values()].map(({ resource }) => resource) : [];
  const made = proxies
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((proxy) => {
      const [selected] = match(mesh, proxy, [meshMetric], memo);
      // The engine merges what the policy's own schema accepted.
      const conf = selected && (proxyConf(selected)?.value as MetricConf | undefined);
      return (conf?.backends ?? []).flatMap(({ prometheus }) =>
        prometheus === undefined
          ? []
          : [{ clientId: prometheus.clientId, assignment: assignment(mesh.mesh.name, proxy, prometheus) }],
      );
    });
  ofSnapshot.set(mesh, made);
  return made;
}

// Whoever waits looks at each change, and most are about another mesh, or none.
const ofSnapshot = new WeakMap<MeshSnapshot, readonly Addressed[]>();

function assignment(mesh: string, proxy: Resource<DataplaneSpec>, { port, path, tls }: PrometheusConf): Assignment {
  const { address } = proxy.spec.networking;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  return {
    "@type": ASSIGNMENT_TYPE,
    mesh,
    service: serviceOf({ resource: proxy }),
    targets: [
      {
        name: proxy.name,
        scheme: (tls?.mode ?? "Disabled") === "Disabled" ? "http" : "https",
        address: `${host}:${port ?? PROMETHEUS_PORT}`,
        metrics_path: path ?? PROMETHEUS_PATH,
        // Metrics come with labels of their own (MeshMetric).
        labels: {},
      },
    ],
    labels: {},
  };
}
