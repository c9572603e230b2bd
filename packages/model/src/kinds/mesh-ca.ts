import { z } from "zod";
import { type DataSource, dataSourceSchema } from "../data-source.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { acmpcaArnSchema, acmpcaAuthSchema, checkAcmpca } from "./mesh-ca-acmpca.ts";
import { checkCertmanager, issuerRefSchema } from "./mesh-ca-certmanager.ts";
import { checkSource } from "./mesh-ca-source.ts";
import { checkVault, vaultSchema } from "./mesh-ca-vault.ts";

/** The certificate authorities that a mesh can have. */
export const CA_TYPES = ["builtin", "provided", "vault", "acmpca", "certmanager"] as const;
export type CaType = (typeof CA_TYPES)[number];

/** Kuma has one name for two things: how a builtin authority is made, and where a certificate comes from. */
const caCert = z.strictObject({
  RSAbits: z.int().min(2_048).max(8_192).optional().describe("Makes an RSA key of this size; ECDSA P-256 when unset"),
  rsaBits: z.int().min(2_048).max(8_192).optional().describe("The same as RSAbits"),
  expiration: duration().optional().describe("Life of the root certificate (10y)"),
  ...dataSourceSchema.shape,
});

export const caConfSchema = z.strictObject({
  caCert: caCert
    .optional()
    .describe(
      "builtin: the authority that is made. acmpca: whose certificates AWS may show (those that the system trusts). " +
        "certmanager: what proxies trust (what cert-manager tells with each certificate)",
    ),
  cert: dataSourceSchema
    .optional()
    .describe("provided: certificate of the authority, its issuers behind it up to the root"),
  key: dataSourceSchema.optional().describe("provided: private key of the first certificate"),
  fromCp: vaultSchema.optional().describe("vault: how the control plane reaches Vault's PKI engine"),
  arn: acmpcaArnSchema.optional().describe("acmpca: ARN of the authority in AWS Private CA"),
  auth: acmpcaAuthSchema.optional().describe("acmpca: how the control plane shows who it is"),
  issuerRef: issuerRefSchema.optional().describe("certmanager: the issuer"),
  commonName: z
    .string()
    .min(1)
    .optional()
    .describe('acmpca, certmanager: template of the common name, such as {{ tag "kuma.io/service" }}.mesh (none)'),
  dnsNames: z
    .array(z.string().min(1))
    .optional()
    .describe("certmanager: templates, as of the common name, of DNS names that certificates have as well (none)"),
});
export type CaConf = z.infer<typeof caConfSchema>;

export const caTypeSchema = z.enum(CA_TYPES);

interface Fields {
  readonly required: readonly (keyof CaConf)[];
  readonly optional: readonly (keyof CaConf)[];
}

const FIELDS: Readonly<Record<CaType, Fields>> = {
  builtin: { required: [], optional: ["caCert"] },
  provided: { required: ["cert", "key"], optional: [] },
  vault: { required: ["fromCp"], optional: [] },
  acmpca: { required: ["arn"], optional: ["commonName", "caCert", "auth"] },
  certmanager: { required: ["issuerRef"], optional: ["commonName", "dnsNames", "caCert"] },
};

/** What is wrong with the settings of a backend of this type; `field` is where they stand. */
export function checkCaConf(type: CaType, conf: CaConf, field: string): readonly Violation[] {
  const { required, optional } = FIELDS[type];
  const allowed = [...required, ...optional];
  const foreign = (Object.keys(conf) as (keyof CaConf)[]).filter(
    (key) => conf[key] !== undefined && !allowed.includes(key),
  );
  const missing = required.filter((key) => conf[key] === undefined);
  return [
    ...foreign.map((key) => ({
      field: `${field}.${key}`,
      message: `does not belong to type ${type}, which has ${listed(allowed)}`,
    })),
    ...missing.map((key) => ({ field: `${field}.${key}`, message: `must be set with type ${type}` })),
    ...(["cert", "key"] as const).flatMap((key) => checkSource(conf[key], `${field}.${key}`)),
    ...checkCaCert(type, conf.caCert, `${field}.caCert`),
    ...(conf.fromCp === undefined ? [] : checkVault(conf.fromCp, `${field}.fromCp`)),
    ...(type === "acmpca" ? checkAcmpca(conf, field) : []),
    ...(type === "certmanager" ? checkCertmanager(conf, field) : []),
  ];
}

/** The part of `caCert` that says where a certificate comes from. */
export function caCertSource({ caCert: source }: CaConf): DataSource | undefined {
  if (source === undefined) return undefined;
  const { secret, file, inline, inlineString } = source;
  return { secret, file, inline, inlineString };
}

function checkCaCert(type: CaType, conf: CaConf["caCert"], field: string): readonly Violation[] {
  if (conf === undefined || type === "provided" || type === "vault") return [];
  const isMade = ["RSAbits", "rsaBits", "expiration"];
  const foreign = Object.entries(conf)
    .filter(([key, value]) => value !== undefined && isMade.includes(key) !== (type === "builtin"))
    .map(([key]) => ({ field: `${field}.${key}`, message: `does not belong to type ${type}` }));
  if (type === "builtin" || foreign.length > 0) return foreign;
  return checkSource(caCertSource({ caCert: conf }), field);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
