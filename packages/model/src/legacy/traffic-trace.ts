import { z } from "zod";
import type { MeshSpec } from "../kinds/mesh.ts";
import { compact, legacyKind, numbered, topOf, type Translation } from "./legacy-kind.ts";
import { checkSelectors, rankOf, type Selector, selectorSchema } from "./selector.ts";

const confSchema = z.strictObject({
  backend: z.string().optional().describe("One of the Mesh's tracing.backends (its tracing.defaultBackend)"),
});

/** Kuma 2.x: where the spans of proxies go. */
export const trafficTrace = legacyKind({
  type: "TrafficTrace",
  path: "traffic-traces",
  shortName: "tt",
  singular: "Traffic Trace",
  plural: "Traffic Traces",
  schema: z.strictObject({
    selectors: z.array(selectorSchema).describe("Which proxies, by tags"),
    conf: confSchema.optional().describe("Where to"),
  }),
  check: ({ selectors }) => checkSelectors(selectors, "selectors", { service: true }),
  legacy: {
    becomes: ["MeshTrace"],
    side: "proxy",
    choice: "one",
    readsMesh: true,
    translate: ({ selectors, conf }, { name, mesh }) => translate(selectors, backendOf(mesh.spec, conf?.backend), name),
  },
});

type Backend = NonNullable<NonNullable<MeshSpec["tracing"]>["backends"]>[number];
type Found = { readonly backend: Backend } | { readonly missing: string };

function translate(selectors: readonly Selector[], found: Found, name: string): Translation {
  const conf = "backend" in found ? traceOf(found.backend) : { backends: [] };
  const policies = selectors.map((selector, index) => ({
    type: "MeshTrace",
    name: numbered(name, index),
    spec: { ...topOf(selector), default: conf },
    rank: rankOf(selector),
    itemRanks: [],
    ...("missing" in found && { inert: true }),
  }));
  return { policies, notes: "missing" in found ? [found.missing] : [] };
}

function backendOf({ tracing = {} }: MeshSpec, wanted: string | undefined): Found {
  const { backends = [], defaultBackend } = tracing;
  const name = wanted || defaultBackend;
  if (!name)
    return { missing: "conf.backend: nothing is traced: neither it nor tracing.defaultBackend of the Mesh is set" };
  const backend = backends.find((each) => each.name === name);
  const known = backends.map((each) => each.name).join(", ") || "none";
  return backend === undefined
    ? { missing: `conf.backend: nothing is traced: the Mesh has no tracing backend "${name}" (it has ${known})` }
    : { backend };
}

function traceOf({ sampling, ...backend }: Backend): object {
  return compact({
    backends: [backend.type === "zipkin" ? zipkinOf(backend.conf) : datadogOf(backend.conf)],
    sampling: sampling === undefined ? undefined : { overall: percentOf(sampling) },
  });
}

function zipkinOf({ url, traceId128bit, apiVersion, sharedSpanContext }: ConfOf<"zipkin">): object {
  return { type: "Zipkin", zipkin: compact({ url, traceId128bit, apiVersion, sharedSpanContext }) };
}

function datadogOf({ address, port, splitService }: ConfOf<"datadog">): object {
  const host = address.includes(":") ? `[${address}]` : address;
  return { type: "Datadog", datadog: compact({ url: `http://${host}:${port}`, splitService }) };
}

type ConfOf<Type extends Backend["type"]> = Extract<Backend, { type: Type }>["conf"];

function percentOf(share: number): number | string {
  return Number.isInteger(share) ? share : String(Number(share.toFixed(4)));
}
