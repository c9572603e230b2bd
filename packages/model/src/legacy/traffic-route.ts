import { LABEL } from "../labels.ts";
import { httpRules } from "./http-rules.ts";
import { clientSide, compact, legacyKind, type TranslatedPolicy, type Translation } from "./legacy-kind.ts";
import { destinationOf } from "./selector.ts";
import { backendRefsOf, namesItself } from "./split.ts";
import { checkTrafficRoute } from "./traffic-route-check.ts";
import { type LoadBalancer, trafficRouteSchema, type TrafficRouteSpec, type WhereTo } from "./traffic-route-schema.ts";

/** Kuma 2.x: where the requests to a service go. */
export const trafficRoute = legacyKind({
  type: "TrafficRoute",
  path: "traffic-routes",
  shortName: "tr",
  singular: "Traffic Route",
  plural: "Traffic Routes",
  schema: trafficRouteSchema,
  check: checkTrafficRoute,
  legacy: {
    becomes: ["MeshHTTPRoute", "MeshTCPRoute", "MeshLoadBalancingStrategy"],
    side: "client",
    choice: "one",
    translate: (spec, { name }) => translate(spec, name),
  },
});

// Each part stands even when it says nothing, because of all TrafficRoutes that mean a request only one counts.
function translate(spec: TrafficRouteSpec, name: string): Translation {
  const { conf } = spec;
  const http = httpRules(conf);
  const tcp = backendRefsOf(conf);
  const balancing = balancingOf(conf.loadBalancer);
  const part = (type: string, item: object, inert: boolean): readonly TranslatedPolicy[] =>
    clientSide(spec, { name, type, item }).map((policy) => (inert ? { ...policy, inert } : policy));
  return {
    policies: [
      ...part("MeshHTTPRoute", { rules: http.rules }, http.rules.length === 0),
      ...part(
        "MeshTCPRoute",
        { rules: tcp.refs.length === 0 ? [] : [{ default: { backendRefs: tcp.refs } }] },
        tcp.refs.length === 0,
      ),
      ...part("MeshLoadBalancingStrategy", { default: balancing }, conf.loadBalancer === undefined),
    ],
    notes: [...http.notes, ...tcp.notes, ...routeNotes(spec), ...balancingNotes(spec)],
  };
}

const HASHES = { XX_HASH: "XXHash", MURMUR_HASH_2: "MurmurHash2" } as const;

function balancingOf(balancer: LoadBalancer = {}): object {
  const { leastRequest, ringHash, random, maglev } = balancer;
  if (leastRequest !== undefined) {
    const { choiceCount } = leastRequest;
    return { loadBalancer: compact({ type: "LeastRequest", leastRequest: choiceCount ? { choiceCount } : undefined }) };
  }
  if (ringHash !== undefined) {
    const { hashFunction, ...sizes } = ringHash;
    const ring = compact({ hashFunction: hashFunction && HASHES[hashFunction], ...sizes });
    return { loadBalancer: { type: "RingHash", ...(Object.keys(ring).length > 0 && { ringHash: ring }) } };
  }
  if (random !== undefined) return { loadBalancer: { type: "Random" } };
  return { loadBalancer: { type: maglev === undefined ? "RoundRobin" : "Maglev" } };
}

// A route of today names its destination, so that "every service" can be meant here and not be written.
function routeNotes({ destinations, conf }: TrafficRouteSpec): readonly string[] {
  const routes = (conf.http ?? []).length > 0 || !namesItself(conf);
  const all = destinations.findIndex((destination) => destinationOf(destination).kind === "Mesh");
  if (!routes || all === -1) return [];
  return [
    `destinations[${all}].match: routes of today name their destination: in place of targetRef {kind: Mesh} write one item of "to" for each service`,
  ];
}

function balancingNotes({ destinations, conf }: TrafficRouteSpec): readonly string[] {
  if (conf.loadBalancer === undefined) return [];
  const named = destinations.map(({ match }) => match[LABEL.service]);
  if (named.includes("*")) return [];
  const reached = [conf, ...(conf.http ?? [])].flatMap(servicesOf);
  const others = [...new Set(reached)].filter((service) => service !== "*" && !named.includes(service));
  return others.map(
    (service) => `conf.loadBalancer: left out for "${service}", which is no destination of this policy: add it to "to"`,
  );
}

function servicesOf({ split = [], destination }: WhereTo): readonly string[] {
  const parts = split.filter(({ weight }) => weight > 0).map((part) => part.destination);
  return [...parts, ...(destination === undefined ? [] : [destination])].flatMap((tags) => tags[LABEL.service] ?? []);
}
