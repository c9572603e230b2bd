import { z } from "zod";
import type { MeshSpec } from "../kinds/mesh.ts";
import { clientSide, compact, legacyKind, type Translation } from "./legacy-kind.ts";
import { checkClientSide, type Connections, connectionShape } from "./selector.ts";

const confSchema = z.strictObject({
  backend: z.string().optional().describe("One of the Mesh's logging.backends (its logging.defaultBackend)"),
});

/** Kuma 2.x: where a line is written for each request to a service. */
export const trafficLog = legacyKind({
  type: "TrafficLog",
  path: "traffic-logs",
  shortName: "tl",
  singular: "Traffic Log",
  plural: "Traffic Logs",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.optional().describe("Where to") }),
  check: checkClientSide,
  legacy: {
    becomes: ["MeshAccessLog"],
    side: "client",
    choice: "one",
    readsMesh: true,
    translate: (spec, { name, mesh }) => translate(spec, backendOf(mesh.spec, spec.conf?.backend), name),
  },
});

type Backend = NonNullable<NonNullable<MeshSpec["logging"]>["backends"]>[number];
type Found = { readonly backend: Backend } | { readonly missing: string };

function translate(spec: Connections, found: Found, name: string): Translation {
  const backends = "backend" in found ? [accessLogOf(found.backend)] : [];
  const policies = clientSide(spec, { name, type: "MeshAccessLog", item: { default: { backends } } });
  if ("backend" in found) return { policies, notes: [] };
  return { policies: policies.map((policy) => ({ ...policy, inert: true })), notes: [found.missing] };
}

function backendOf({ logging = {} }: MeshSpec, wanted: string | undefined): Found {
  const { backends = [], defaultBackend } = logging;
  const name = wanted || defaultBackend;
  if (!name)
    return { missing: "conf.backend: nothing is logged: neither it nor logging.defaultBackend of the Mesh is set" };
  const backend = backends.find((each) => each.name === name);
  const known = backends.map((each) => each.name).join(", ") || "none";
  return backend === undefined
    ? { missing: `conf.backend: nothing is logged: the Mesh has no logging backend "${name}" (it has ${known})` }
    : { backend };
}

function accessLogOf(backend: Backend): object {
  const format = backend.format ? { type: "Plain", plain: backend.format } : undefined;
  return backend.type === "file"
    ? { type: "File", file: compact({ path: backend.conf.path, format }) }
    : { type: "Tcp", tcp: compact({ address: backend.conf.address, format }) };
}
