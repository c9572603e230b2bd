import { kindRegistry } from "@heddle/model/kind.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { defineKind } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { duration } from "@heddle/model/schema.ts";
import { targetRefSchema } from "@heddle/model/target-ref.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { z } from "zod";
import type { Inspect, Ports } from "../ports.ts";

/** A policy of the usual shape; the real ones live in a package that this one does not know. */
const meshTimeout = defineKind({
  type: "MeshTimeout",
  path: "meshtimeouts",
  shortName: "mt",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Timeout",
  plural: "Mesh Timeouts",
  policy: { targets: ["Mesh", "Dataplane"], to: ["Mesh", "MeshService"], from: [], rules: true, default: false },
  schema: z.strictObject({
    targetRef: targetRefSchema.optional(),
    to: z
      .array(
        z.strictObject({
          targetRef: targetRefSchema,
          default: z.strictObject({ connectionTimeout: duration().optional() }),
        }),
      )
      .optional(),
  }),
  warn: (spec) => (spec.to === undefined ? ["spec: has no effect without to"] : []),
});

export const TEST_KINDS = kindRegistry([...CORE_KINDS, meshTimeout as Kind]);

/** An engine that knows nothing, for calls that are about something else. */
export const SILENT_INSPECT: Inspect = {
  rules: async () => undefined,
  config: async () => undefined,
  layout: async () => undefined,
  policies: async () => undefined,
  inboundPolicies: async () => undefined,
  outboundPolicies: async () => undefined,
  routes: async () => undefined,
  routePolicies: async () => undefined,
  matchedDataplanes: async () => [],
  access: async () => undefined,
  certificates: () => undefined,
  authorities: () => undefined,
  plan: async () => [],
  liveEnvoy: async () => undefined,
  async *rollout(revision) {
    yield { revision, proxies: { affected: 0, acked: 0 }, rejected: [], elapsedMillis: 0, done: true };
  },
};

/** Ports over a real store in memory, with a mesh "default" in it. */
export async function fakePorts(change: Partial<Ports> = {}): Promise<Ports> {
  const store = openMemoryStore();
  await store.create({ type: "Mesh", mesh: "", name: "default", labels: {}, spec: {} });
  return {
    store,
    kinds: TEST_KINDS,
    info: {
      hostname: "cp-1",
      product: "Heddle",
      version: "0.1.0",
      instanceId: "cp-1-7f3a",
      clusterId: "2c5a4d0e",
      basedOnKuma: "2.14.0",
      mode: "zone",
      federated: false,
      zone: "default",
      environment: "universal",
      storeType: "memory",
    },
    inspect: SILENT_INSPECT,
    config: () => ({ store: { type: "memory", postgres: { password: "*****" } } }),
    versions: () => ({
      heddle: { version: "0.1.0" },
      envoy: { supported: ["1.40"] },
      kumaDp: { "0.1.0": { envoy: "1.40.0" } },
    }),
    ...change,
  };
}
