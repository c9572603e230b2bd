import type { Kind, PolicyTraits } from "@heddle/model/kind.ts";
import { parseWith } from "@heddle/model/schema.ts";
import { BACKEND_KINDS, type TargetKind, type TargetRef } from "@heddle/model/target-ref.ts";
import fc, { type Arbitrary } from "fast-check";
import { anyValue, type Hint } from "./any-value.ts";

/** A small mesh in which the references of `anySpec` lead somewhere: services that speak HTTP, gRPC and TCP, mutual TLS. */
export const SMALL_MESH = `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: web-1
labels: { app: web, team: x, kuma.io/workload: web, kuma.io/zone: zone-1 }
networking:
  address: 192.168.0.1
  inbound:
    - { port: 8080, servicePort: 18080, name: api, protocol: http, tags: { kuma.io/service: web, version: v1 } }
    - { port: 8081, servicePort: 18081, name: rpc, protocol: grpc, tags: { kuma.io/service: web-rpc } }
    - { port: 9000, servicePort: 19000, name: raw, protocol: tcp, tags: { kuma.io/service: web-raw } }
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }
    - { port: 10002, backendRef: { kind: MeshService, name: prices, port: 50 } }
    - { port: 10003, backendRef: { kind: MeshService, name: database, port: 5432 } }
    - { port: 10004, backendRef: { kind: MeshExternalService, name: outside, port: 443 } }
    - { port: 10005, backendRef: { kind: MeshMultiZoneService, name: everywhere, port: 80 } }
---
type: MeshService
name: backend
labels: { team: y, kuma.io/display-name: backend }
spec: { selector: { dataplaneTags: { kuma.io/service: backend } }, ports: [{ port: 80, name: http, appProtocol: http }] }
---
type: MeshService
name: prices
spec: { ports: [{ port: 50, appProtocol: grpc }] }
---
type: MeshService
name: database
spec: { ports: [{ port: 5432, appProtocol: tcp }] }
---
type: MeshExternalService
name: outside
spec:
  match: { type: HostnameGenerator, port: 443, protocol: http }
  endpoints: [{ address: outside.example.com, port: 443 }]
---
type: MeshMultiZoneService
name: everywhere
spec: { selector: { meshService: { matchLabels: { team: y } } }, ports: [{ port: 80, appProtocol: http }] }
---
type: MeshOpenTelemetryBackend
name: collector
labels: { team: watchers }
spec: { endpoint: { address: 10.0.0.9, port: 14317 } }
---
type: MeshHTTPRoute
name: routes
spec:
  to:
    - targetRef: { kind: MeshService, name: backend }
      rules: [{ matches: [{ path: { type: PathPrefix, value: /pay } }], default: {} }]
`;

const REFERENCES: Readonly<Record<TargetKind, readonly TargetRef[]>> = {
  Mesh: [{ kind: "Mesh" }, { kind: "Mesh", proxyTypes: ["Sidecar"] }],
  MeshSubset: [{ kind: "MeshSubset", tags: { "kuma.io/service": "web" } }, { kind: "MeshSubset" }],
  MeshGateway: [{ kind: "MeshGateway", name: "edge" }],
  MeshService: [
    { kind: "MeshService", name: "backend" },
    { kind: "MeshService", name: "prices", sectionName: "50" },
    { kind: "MeshService", name: "database" },
    { kind: "MeshService", name: "web" },
    { kind: "MeshService", labels: { team: "y" } },
  ],
  MeshServiceSubset: [{ kind: "MeshServiceSubset", name: "web", tags: { version: "v1" } }],
  MeshExternalService: [{ kind: "MeshExternalService", name: "outside" }],
  MeshMultiZoneService: [{ kind: "MeshMultiZoneService", name: "everywhere" }],
  MeshHTTPRoute: [{ kind: "MeshHTTPRoute", name: "routes" }],
  Dataplane: [
    { kind: "Dataplane" },
    { kind: "Dataplane", labels: { app: "web" } },
    { kind: "Dataplane", name: "web-1", sectionName: "api" },
  ],
};

/** Any spec of a kind of policy that is accepted when it is written. */
export function anySpec(kind: Kind & { readonly policy: PolicyTraits }): Arbitrary<unknown> {
  const any = anyValue(kind.schema, hintFor(kind.policy)).map((spec) => repaired(kind, spec));
  return any.filter((spec) => spec !== undefined);
}

function hintFor({ targets, to, from }: PolicyTraits): Hint {
  const hints: Readonly<Record<string, Arbitrary<unknown>>> = {
    targetRef: anyReference(targets),
    ...(to.length > 0 && { "to[].targetRef": anyReference(to) }),
    ...(from.length > 0 && { "from[].targetRef": anyReference(from) }),
  };
  return (path) => {
    if (path in hints) return hints[path];
    // Envoy opens such a file before it accepts anything: whether it can is up to the machine.
    if (/\.(eventLogPath|file\.path)$/.test(path)) return fc.constant("/dev/null");
    return /(^|\.)backendRefs\[\]$|requestMirror\.backendRef$/.test(path) ? anyBackend : undefined;
  };
}

function anyReference(kinds: readonly TargetKind[]): Arbitrary<TargetRef> {
  return fc.constantFrom(...kinds.flatMap((kind) => REFERENCES[kind]));
}

const anyBackend = fc
  .tuple(
    anyReference(BACKEND_KINDS),
    fc.constantFrom(undefined, 80, 50, 5432, 443),
    fc.constantFrom(undefined, 0, 1, 9),
  )
  .map(([reference, port, weight]) => ({
    ...reference,
    ...(port !== undefined && { port }),
    ...(weight !== undefined && { weight }),
  }));

// What is wrong is taken out, a few times over: most of what is left then is still worth a try.
function repaired(kind: Kind, spec: unknown): unknown {
  let current = spec;
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const parsed = parseWith(kind.schema, current);
    const violations = parsed.ok ? (kind.check?.(parsed.value) ?? []) : parsed.violations;
    const [first] = violations;
    if (first === undefined) return parsed.ok ? parsed.value : undefined;
    const steps = first.field.split(/[.[\]]+/).filter((step) => step !== "");
    if (steps.length === 0) return undefined;
    current = without(current, steps);
  }
  return undefined;
}

/** A copy without what stands at a place; when nothing stands there, without what it would belong to. */
function without(value: unknown, [step = "", ...rest]: readonly string[]): unknown {
  const inner = (value as Readonly<Record<string, unknown>>)[step];
  const isLast = rest.length === 0 || typeof inner !== "object" || inner === null || !((rest[0] ?? "") in inner);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      if (String(index) !== step) return [item];
      return isLast ? [] : [without(item, rest)];
    });
  }
  const { [step]: _gone, ...others } = value as Readonly<Record<string, unknown>>;
  return isLast ? others : { ...others, [step]: without(inner, rest) };
}
