/** Kuma 2.x: mutual TLS in the Mesh, services by tags. `web` calls `backend`, which has two instances. */
export const TAGGED = `
type: Mesh
name: default
mtls:
  enabledBackend: ca
  backends: [{ name: ca, type: builtin }]
---
type: Dataplane
mesh: default
name: web-1
networking:
  address: 127.0.0.1
  inbound:
    - { port: 10001, servicePort: 8001, tags: { kuma.io/service: web, kuma.io/protocol: http, team: shop } }
  outbound:
    - { port: 20001, tags: { kuma.io/service: backend } }
---
type: Dataplane
mesh: default
name: backend-1
networking:
  address: 127.0.0.1
  inbound:
    - { port: 10002, servicePort: 8002, tags: { kuma.io/service: backend, kuma.io/protocol: http, version: v1 } }
---
type: Dataplane
mesh: default
name: backend-2
networking:
  address: 127.0.0.1
  inbound:
    - { port: 10003, servicePort: 8003, tags: { kuma.io/service: backend, kuma.io/protocol: http, version: v2 } }
`;

/** Kuma 3.x: identities by MeshIdentity, services by labels. `web` calls `backend` at port 80. */
export const LABELLED = `
type: Mesh
name: default
---
type: MeshIdentity
mesh: default
name: identity
spec:
  selector: { dataplane: { matchLabels: {} } }
  spiffeID: { trustDomain: "{{ .Mesh }}", path: "/{{ .Workload }}" }
  provider: { type: Bundled, bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } }
---
type: Dataplane
mesh: default
name: web-1
labels: { app: web, kuma.io/workload: web }
networking:
  address: 127.0.0.1
  inbound: [{ name: http, port: 10001, servicePort: 8001, protocol: http }]
  outbound:
    - { port: 20001, backendRef: { kind: MeshService, name: backend, port: 80 } }
---
type: Dataplane
mesh: default
name: backend-1
labels: { app: backend, kuma.io/workload: backend }
networking:
  address: 127.0.0.1
  inbound: [{ name: http, port: 10002, servicePort: 8002, protocol: http }]
---
type: MeshService
mesh: default
name: backend
spec:
  selector: { dataplaneLabels: { matchLabels: { app: backend } } }
  ports: [{ name: main, port: 80, targetPort: http, appProtocol: http }]
---
type: MeshService
mesh: default
name: backend-next
spec:
  selector: { dataplaneLabels: { matchLabels: { app: backend-next } } }
  ports: [{ name: main, port: 80, targetPort: http, appProtocol: http }]
`;

/** Policies over LABELLED: permissions, timeouts on both sides and for one route, and a route to another service. */
export const LABELLED_POLICIES = `
type: MeshTrafficPermission
mesh: default
name: shops
spec:
  rules:
    - default:
        allow: [{ spiffeID: { type: Exact, value: "spiffe://default/shop" } }]
        deny: [{ spiffeID: { type: Prefix, value: "spiffe://default/evil" } }]
---
type: MeshTimeout
mesh: default
name: coming-in
spec:
  targetRef: { kind: Dataplane, labels: { app: backend } }
  rules:
    - default: { idleTimeout: 9s }
    - matches: [{ spiffeID: { type: Exact, value: "spiffe://default/web" } }]
      default: { http: { requestTimeout: 1s } }
---
type: MeshTimeout
mesh: default
name: going-out
spec:
  targetRef: { kind: Dataplane, labels: { app: web } }
  to:
    - targetRef: { kind: Mesh }
      default: { connectionTimeout: 3s, http: { requestTimeout: 7s } }
    - targetRef: { kind: MeshService, labels: { kuma.io/display-name: backend }, sectionName: main }
      default: { http: { requestTimeout: 5s } }
    - targetRef: { kind: MeshHTTPRoute, labels: { kuma.io/display-name: split } }
      default: { http: { requestTimeout: 2s } }
---
type: MeshHTTPRoute
mesh: default
name: split
spec:
  targetRef: { kind: Dataplane, labels: { app: web } }
  to:
    - targetRef: { kind: MeshService, labels: { kuma.io/display-name: backend } }
      rules:
        - matches: [{ path: { type: PathPrefix, value: /next } }, { method: POST }]
          default: { backendRefs: [{ kind: MeshService, name: backend-next, port: 80 }] }
`;

/** Policies over TAGGED, all in the form of Kuma 2.x. */
export const TAGGED_POLICIES = `
type: MeshTrafficPermission
mesh: default
name: some
spec:
  targetRef: { kind: MeshSubset, tags: { kuma.io/service: backend } }
  from:
    - targetRef: { kind: Mesh }
      default: { action: Deny }
    - targetRef: { kind: MeshSubset, tags: { team: shop } }
      default: { action: Allow }
    - targetRef: { kind: MeshSubset, tags: { kuma.io/service: spy } }
      default: { action: Deny }
---
type: MeshTimeout
mesh: default
name: slow
spec:
  targetRef: { kind: MeshSubset, tags: { kuma.io/service: web } }
  to:
    - targetRef: { kind: Mesh }
      default: { connectionTimeout: 3s, http: { requestTimeout: 7s } }
    - targetRef: { kind: MeshService, name: backend }
      default: { http: { requestTimeout: 5s } }
    - targetRef: { kind: MeshService, name: gone }
      default: { http: { requestTimeout: 1s } }
`;
