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
