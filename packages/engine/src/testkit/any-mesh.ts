import type { DataplaneSpec, Inbound, Outbound } from "@heddle/model/kinds/dataplane.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Labels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import fc, { type Arbitrary } from "fast-check";
import type { MeshChange } from "../snapshot/apply-changes.ts";
import type { DataplaneFacts } from "../snapshot/snapshot.ts";
import { resource } from "./resource.ts";

// Few names, so that things meet: that is where the mistakes are.
const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);
const proxyName = fc.constantFrom("p1", "p2", "p3", "p4");
// Resources come from JSON, whose objects have a prototype.
const record = <Fields>(model: { [Field in keyof Fields]: Arbitrary<Fields[Field]> }): Arbitrary<Fields> =>
  fc.record(model, { noNullPrototype: true }) as Arbitrary<Fields>;
const maybe = <Value>(arbitrary: Arbitrary<Value>): Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const labels: Arbitrary<Labels> = fc.record(
  { app: name, team: fc.constantFrom("x", "y"), "kuma.io/display-name": name },
  { requiredKeys: [], noNullPrototype: true },
) as Arbitrary<Labels>;

const serviceTags: Arbitrary<Labels> = record({
  "kuma.io/service": name,
  version: fc.constantFrom("v1", "v2"),
});

const inbound: Arbitrary<Inbound> = record({
  port: fc.constantFrom(8080, 8081),
  protocol: fc.constantFrom("http" as const, "tcp" as const),
  tags: maybe(serviceTags),
  state: fc.constantFrom("Ready" as const, "NotReady" as const),
}) as Arbitrary<Inbound>;

const outbound: Arbitrary<Outbound> = fc.oneof(
  record({
    port: port(),
    tags: fc.oneof(
      serviceTags,
      name.map((each): Labels => ({ "kuma.io/service": each })),
    ),
  }),
  record({
    port: port(),
    backendRef: fc.oneof(
      record({ kind: fc.constant("MeshService" as const), name, port: fc.constantFrom(80, 81) }),
      record({
        kind: fc.constant("MeshService" as const),
        labels: fc.constantFrom<Labels>({ team: "x" }, { "kuma.io/display-name": "a" }),
        port: fc.constant(80),
      }),
      record({ kind: fc.constantFrom("MeshExternalService" as const, "MeshMultiZoneService" as const), name }),
      record({
        kind: fc.constantFrom("MeshExternalService" as const, "MeshMultiZoneService" as const),
        labels: fc.constantFrom<Labels>({ team: "x" }, { "kuma.io/display-name": "a" }),
        port: fc.constant(80),
      }),
    ),
  }),
);

function port(): Arbitrary<number> {
  return fc.integer({ min: 20_000, max: 20_009 });
}

const dataplane: Arbitrary<Resource<DataplaneSpec>> = record({
  name: proxyName,
  labels,
  inbound: fc.uniqueArray(inbound, { maxLength: 2, selector: (each) => each.port }),
  outbound: fc.uniqueArray(outbound, { maxLength: 4, selector: (each) => each.port }),
}).map(({ name: its, labels: has, ...ports }) =>
  resource("Dataplane", its, { networking: { address: `10.0.0.${its.slice(1)}`, ...ports } }, { labels: has }),
);

const service: Arbitrary<Resource<MeshServiceSpec>> = record({
  name,
  labels,
  day: fc.constantFrom("01", "02", "03"),
  selector: fc.constantFrom<MeshServiceSpec["selector"]>(
    { dataplaneLabels: { matchLabels: { app: "a" } } },
    { dataplaneLabels: { matchLabels: { app: "b", team: "*" } } },
    { dataplaneLabels: { matchLabels: {} } },
    { dataplaneTags: { "kuma.io/service": "c" } },
    { dataplaneRef: { name: "p1" } },
    undefined,
  ),
  ports: fc.constantFrom<MeshServiceSpec["ports"]>(
    [{ port: 80, targetPort: 8080, appProtocol: "http" }],
    [
      { port: 80, targetPort: 8080, appProtocol: "http" },
      { port: 81, targetPort: 8081 },
    ],
    [],
  ),
}).map(({ name: its, labels: has, day, ...spec }) =>
  resource("MeshService", its, spec as MeshServiceSpec, { labels: has, creationTime: `2026-01-${day}T00:00:00Z` }),
);

const external: Arbitrary<Resource> = record({
  name,
  labels,
  day: fc.constantFrom("01", "02"),
  port: fc.constantFrom(80, 443),
  caCert: maybe(fc.constantFrom({ secret: "s1" }, { secret: "s2" })),
}).map(({ name: its, labels: has, day, port: its443, caCert }) =>
  resource(
    "MeshExternalService",
    its,
    {
      match: { port: its443, protocol: "http" },
      endpoints: [{ address: "outside.example", port: 443 }],
      ...(caCert === undefined ? {} : { tls: { enabled: true, verification: { caCert } } }),
    },
    { labels: has, creationTime: `2026-01-${day}T00:00:00Z` },
  ),
);

const multiZone: Arbitrary<Resource> = record({
  name,
  labels,
  matchLabels: fc.constantFrom<Labels>({ team: "x" }, { app: "a" }, { "kuma.io/display-name": "b" }),
}).map(({ name: its, labels: has, matchLabels }) =>
  resource(
    "MeshMultiZoneService",
    its,
    { selector: { meshService: { matchLabels } }, ports: [{ port: 80, appProtocol: "http" }] },
    { labels: has },
  ),
);

const secret: Arbitrary<Resource> = fc
  .constantFrom("s1", "s2")
  .map((its) => resource("Secret", its, { data: Buffer.from("nothing in PEM").toString("base64") }));

const backends = [
  { name: "ca", type: "builtin" as const },
  { name: "lenient", type: "builtin" as const, mode: "PERMISSIVE" as const },
];
const mesh: Arbitrary<Resource<MeshSpec>> = fc
  .constantFrom<MeshSpec>(
    {},
    { mtls: { enabledBackend: "ca", backends } },
    { mtls: { enabledBackend: "lenient", backends } },
    { logging: { backends: [{ name: "file", type: "file", conf: { path: "/tmp/access.log" } }] } },
  )
  .map((spec) => resource("Mesh", "default", spec));

const identity = record({
  name: fc.constantFrom("i1", "i2"),
  matchLabels: fc.constantFrom<Labels>({}, { team: "x" }),
}).map(({ name: its, matchLabels }) =>
  resource("MeshIdentity", its, {
    selector: { dataplane: { matchLabels } },
    spiffeID: { path: `/ns/{{ label "team" }}` },
    provider: { type: "Bundled" },
  }),
);
const trust = fc
  .constantFrom("t1", "t2")
  .map((its) => resource("MeshTrust", its, { trustDomain: `${its}.example`, caBundles: [] }));

const facts: Arbitrary<DataplaneFacts> = record({
  online: fc.boolean(),
  warm: fc.boolean(),
  tlsReady: fc.boolean(),
  leaving: fc.boolean(),
  unhealthy: fc.subarray([8080, 8081]),
});

/** A mesh resource that may replace the one there is. */
export const anyMesh = mesh;

/** Something that happens to a mesh; `policies` are the resources that may be put and deleted beside the core kinds. */
export function anyChange(policies: Arbitrary<Resource>): Arbitrary<MeshChange> {
  const any: Arbitrary<Resource> = fc.oneof(
    { arbitrary: dataplane as Arbitrary<Resource>, weight: 4 },
    { arbitrary: service as Arbitrary<Resource>, weight: 3 },
    { arbitrary: policies, weight: 3 },
    { arbitrary: fc.oneof(external, multiZone, secret), weight: 2 },
    { arbitrary: fc.oneof<Arbitrary<Resource>[]>(identity, trust, mesh), weight: 2 },
  );
  return fc.oneof(
    { arbitrary: any.map((each): MeshChange => ({ what: "put", resource: each })), weight: 5 },
    {
      arbitrary: any
        .filter(({ type }) => type !== "Mesh")
        .map((each): MeshChange => ({ what: "delete", resource: each })),
      weight: 2,
    },
    {
      arbitrary: record({ what: fc.constant("facts" as const), dataplane: proxyName, facts }),
      weight: 3,
    },
  );
}

/** Batches of changes, in the order in which they happen. */
export function anyHistory(policies: Arbitrary<Resource>): Arbitrary<readonly (readonly MeshChange[])[]> {
  return fc.array(fc.array(anyChange(policies), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
}
