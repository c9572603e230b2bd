import { policyKind } from "@heddle/model/policy-kind.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";

/** From the oldest to the newest; TLSAuto is at home everywhere. */
const ORDER = ["TLSAuto", "TLS10", "TLS11", "TLS12", "TLS13"] as const;
const version = z.enum(ORDER);
/** A version as Kuma names it; TLSAuto is as good as nothing. */
export type Version = z.infer<typeof version>;

const tlsVersionSchema = z.strictObject({
  min: version.optional().describe("The oldest version that is used (the newest allowed one)"),
  max: version.optional().describe("The newest version that is used (TLS13)"),
});

const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-CHACHA20-POLY1305",
] as const;

const tlsSchema = z.strictObject({
  mode: z
    .enum(["Strict", "Permissive"])
    .optional()
    .describe("Strict: mutual TLS only. Permissive: plain text, and TLS of the application's own, beside it"),
  tlsVersion: tlsVersionSchema.optional().describe("Versions of TLS between proxies; for the whole mesh only"),
  tlsCiphers: z
    .array(z.enum(CIPHERS))
    .optional()
    .describe("Ciphers between proxies up to TLS 1.2, the one liked best first; for the whole mesh only"),
});
/** How proxies take part in mutual TLS. An absent field leaves what a weaker policy or the proxy's identity says. */
export type TlsConf = z.infer<typeof tlsSchema>;

const item = z.strictObject({ default: tlsSchema.describe("How mutual TLS is done") });

/** The kind MeshTLS. */
export const meshTlsKind = policyKind({
  type: "MeshTLS",
  path: "meshtlses",
  shortName: "mtls",
  singular: "Mesh TLS",
  plural: "Mesh TLSes",
  targets: ["Mesh", "MeshSubset", "Dataplane"],
  from: { targets: ["Mesh"], item, check: checkItem, warn: warnItem },
  rules: { matches: false, item, check: checkItem, warn: warnItem },
});

interface Item {
  readonly default: TlsConf;
}

function checkItem({ default: conf }: Item, field: string, top: TargetRef): Violation[] {
  const { tlsVersion: { min, max } = {} } = conf;
  // Both ends of a connection have to agree, and who calls a proxy is not known to the one who writes the policy.
  const narrowed = (["tlsVersion", "tlsCiphers"] as const)
    .filter((each) => top.kind !== "Mesh" && conf[each] !== undefined)
    .map((each) => ({
      field: `${field}.default.${each}`,
      message: `must not be set when targetRef.kind is ${top.kind}: both ends have to agree, so it is for kind Mesh`,
    }));
  if (min === undefined || max === undefined || max === "TLSAuto" || ORDER.indexOf(min) <= ORDER.indexOf(max))
    return narrowed;
  return [
    ...narrowed,
    { field: `${field}.default.tlsVersion.min`, message: `must not be newer than tlsVersion.max, which is ${max}` },
  ];
}

// TLS 1.3 has ciphers of its own, all good, and Envoy lets nobody choose among them.
function warnItem({ default: { tlsVersion = {}, tlsCiphers = [] } }: Item, field: string): Violation[] {
  const { max = "TLSAuto", min = max } = tlsVersion;
  const onlyNewest = [min, max].every((each) => each === "TLSAuto" || each === "TLS13");
  if (tlsCiphers.length === 0 || !onlyNewest) return [];
  const message = "has no effect on TLS 1.3, which is what this item allows; tlsVersion.max: TLS12 makes it count";
  return [{ field: `${field}.default.tlsCiphers`, message }];
}
