import { parseWith } from "@heddle/model/schema.ts";
import type { Parsed } from "@heddle/model/violation.ts";
import { z } from "zod";

const version = {
  kumaDp: z.looseObject({
    version: text(),
    gitTag: text(),
    gitCommit: text(),
    buildDate: text(),
  }),
  envoy: z.looseObject({
    version: text(),
    build: text(),
    kumaDpCompatible: z.boolean().nullish(),
  }),
};

/**
 * The body of `POST /bootstrap`, Kuma's shape: the types of known fields are strict, unknown fields are let through,
 * because a newer launcher may send more. Go writes an absent list or map as null, hence `nullish`.
 */
const requestSchema = z.looseObject({
  mesh: z.string().min(1),
  name: z.string().min(1),
  // "ingress" and "egress" are Kuma 2.x's zone proxies; Kuma 3 has them as Dataplanes.
  proxyType: z.enum(["", "dataplane", "ingress", "egress"]).nullish(),
  dataplaneToken: text(),
  dataplaneTokenPath: text(),
  dataplaneResource: text(),
  version: z.looseObject({ kumaDp: version.kumaDp.nullish(), envoy: version.envoy.nullish() }).nullish(),
  caCert: text(),
  dynamicMetadata: z.record(z.string(), z.string()).nullish(),
  otelEnv: z.unknown().optional(),
  adminPort: portOrZero(),
  // Not Kuma's: of heddle dp run.
  inspectPort: portOrZero(),
  dnsPort: portOrZero(),
  readinessPort: portOrZero(),
  appProbeProxyDisabled: z.boolean().nullish(),
  operatingSystem: text(),
  features: z.array(z.string()).nullish(),
  resources: z.looseObject({ maxHeapSizeBytes: z.int().min(0).nullish() }).nullish(),
  workdir: text(),
  metricsResources: z.looseObject({ certPath: text(), keyPath: text() }).nullish(),
  systemCaPath: text(),
  dataplaneConfig: z.unknown().optional(),
  ipv6Enabled: z.boolean().nullish(),
  spireResources: z.looseObject({ socketPath: text() }).nullish(),
});

/** What a launcher asks for, with "" and null read as absent. */
export interface BootstrapRequest {
  readonly mesh: string;
  readonly name: string;
  readonly proxyType: "dataplane" | "ingress" | "egress";
  readonly dataplaneToken?: string;
  /** Where the token lies on the proxy's machine. */
  readonly dataplaneTokenPath?: string;
  /** YAML or JSON of the Dataplane that the launcher brought; absent: the store has it. */
  readonly dataplaneResource?: string;
  /** As sent; shown in the DataplaneInsight. */
  readonly version: {
    readonly kumaDp?: Readonly<Record<string, unknown>>;
    readonly envoy?: Readonly<Record<string, unknown>>;
  };
  /** PEM with which the proxy trusts the control plane; absent: it needs the control plane's own. */
  readonly caCert?: string;
  readonly dynamicMetadata: Readonly<Record<string, string>>;
  readonly otelEnv?: unknown;
  /** TCP port of Envoy's admin interface; absent: a unix socket in `workdir`. */
  readonly adminPort?: number;
  /** TCP port, on the Dataplane's address, at which control planes may look into Envoy. */
  readonly inspectPort?: number;
  readonly dnsPort?: number;
  readonly readinessPort?: number;
  readonly appProbeProxyEnabled: boolean;
  readonly operatingSystem?: string;
  readonly features: readonly string[];
  /** Bytes that Envoy's heap may take before it sheds load. */
  readonly maxHeapSizeBytes?: number;
  readonly workdir?: string;
  readonly metricsCertPath?: string;
  readonly metricsKeyPath?: string;
  readonly systemCaPath?: string;
  /** Settings of the transparent proxy. */
  readonly transparentProxy?: unknown;
  readonly ipv6Enabled: boolean;
  readonly spireSocketPath?: string;
}

/** Reads the body of `POST /bootstrap`; every mistake comes back with its path. */
export function parseBootstrapRequest(body: unknown): Parsed<BootstrapRequest> {
  const parsed = parseWith(requestSchema, body);
  return parsed.ok ? { ok: true, value: normalise(parsed.value) } : parsed;
}

function normalise(sent: z.infer<typeof requestSchema>): BootstrapRequest {
  return {
    mesh: sent.mesh,
    name: sent.name,
    proxyType: sent.proxyType || "dataplane",
    version: {
      ...some("kumaDp", sent.version?.kumaDp),
      ...some("envoy", sent.version?.envoy),
    },
    dynamicMetadata: sent.dynamicMetadata ?? {},
    // The name says the opposite of what Kuma's launcher means by it: true asks for the probe proxy.
    appProbeProxyEnabled: sent.appProbeProxyDisabled ?? false,
    features: sent.features ?? [],
    ipv6Enabled: sent.ipv6Enabled ?? false,
    ...some("dataplaneToken", sent.dataplaneToken),
    ...some("dataplaneTokenPath", sent.dataplaneTokenPath),
    ...some("dataplaneResource", sent.dataplaneResource),
    ...some("caCert", sent.caCert),
    ...some("otelEnv", sent.otelEnv),
    ...some("adminPort", sent.adminPort),
    ...some("inspectPort", sent.inspectPort),
    ...some("dnsPort", sent.dnsPort),
    ...some("readinessPort", sent.readinessPort),
    ...some("operatingSystem", sent.operatingSystem),
    ...some("maxHeapSizeBytes", sent.resources?.maxHeapSizeBytes),
    ...some("workdir", sent.workdir),
    ...some("metricsCertPath", sent.metricsResources?.certPath),
    ...some("metricsKeyPath", sent.metricsResources?.keyPath),
    ...some("systemCaPath", sent.systemCaPath),
    ...some("transparentProxy", sent.dataplaneConfig),
    ...some("spireSocketPath", sent.spireResources?.socketPath),
  };
}

/** One property, or none when the value is what Go sends for "not set": null, "" or 0. */
function some<Key extends string, Value>(
  key: Key,
  value: Value,
): { readonly [K in Key]?: Exclude<Value, null | undefined> } {
  if (value === undefined || value === null || value === "" || value === 0) return {};
  return { [key]: value } as { readonly [K in Key]: Exclude<Value, null | undefined> };
}

function text(): z.ZodOptional<z.ZodNullable<z.ZodString>> {
  return z.string().nullish();
}

function portOrZero(): z.ZodOptional<z.ZodNullable<z.ZodInt>> {
  return z.int().min(0).max(65_535).nullish();
}
