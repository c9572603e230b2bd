import { z } from "zod";
import { dataSourceSchema } from "../data-source.ts";
import type { Violation } from "../violation.ts";
import { checkCommonName } from "./mesh-ca-common-name.ts";
import { checkSource } from "./mesh-ca-source.ts";

const vaultTls = z.strictObject({
  caCert: dataSourceSchema.optional().describe("Whose certificates Vault may show (those that the system trusts)"),
  clientCert: dataSourceSchema.optional().describe("Certificate to show to Vault, for a server that asks for one"),
  clientKey: dataSourceSchema.optional().describe("Its key"),
  skipVerify: z.boolean().optional().describe("Talk to anybody who answers; for trying out only (false)"),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe("Name that Vault's certificate must have (the host of the address)"),
});

const mount = z.string().regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, {
  error: 'must be the path of a mount, such as "kmesh-pki-default"',
});

const vaultAuth = z.strictObject({
  token: dataSourceSchema.optional().describe("A token; a renewable one is renewed at half of its life"),
  tls: z
    .strictObject({
      clientCert: dataSourceSchema.optional().describe("Certificate to log in with"),
      clientKey: dataSourceSchema.optional().describe("Its key"),
    })
    .optional()
    .describe("Log in with a certificate (Vault's auth method cert)"),
  aws: z
    .strictObject({
      type: z.enum(["IAM"]).optional().describe("How: by a signed request to AWS STS (IAM)"),
      role: z.string().min(1).optional().describe("Role of Vault's auth method aws"),
      iamServerIdHeader: z.string().min(1).optional().describe("Value of X-Vault-AWS-IAM-Server-ID"),
    })
    .optional()
    .describe("Log in as this machine's AWS identity (Vault's auth method aws)"),
  kubernetes: z
    .strictObject({
      role: z.string().min(1).describe("Role of Vault's auth method kubernetes"),
      path: mount.optional().describe("Where that method is mounted (kubernetes)"),
      tokenPath: z
        .string()
        .min(1)
        .optional()
        .describe("File with the service account's token (/var/run/secrets/kubernetes.io/serviceaccount/token)"),
    })
    .optional()
    .describe("Log in as this pod's service account (Vault's auth method kubernetes)"),
});

const address = z.string().regex(/^https?:\/\/[^/\s]+\/?$/, {
  error: 'must be the URL of a Vault server, such as "https://vault.example:8200"',
});

/** How the control plane reaches Vault's PKI engine. */
export const vaultSchema = z.strictObject({
  address: address.describe("URL of Vault"),
  agentAddress: address.optional().describe("URL of a Vault Agent, which is asked instead; it logs in for us"),
  namespace: z.string().min(1).optional().describe("Namespace of Vault"),
  pki: mount.describe("Mount of the PKI engine"),
  role: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, { error: "must be the name of a role of the PKI engine" })
    .describe("Role of the PKI engine that issues"),
  commonName: z
    .string()
    .min(1)
    .optional()
    .describe('Template of the common name, such as {{ tag "kuma.io/service" }}.mesh (none)'),
  tls: vaultTls.optional().describe("How the connection to Vault is made"),
  auth: vaultAuth.optional().describe("How the control plane logs in: one of these"),
});
export type VaultConf = z.infer<typeof vaultSchema>;

/** What is wrong with the way to Vault; `field` is where it stands. */
export function checkVault(
  { tls = {}, auth, agentAddress, commonName }: VaultConf,
  field: string,
): readonly Violation[] {
  return [
    ...checkCommonName(commonName, `${field}.commonName`),
    ...checkSource(tls.caCert, `${field}.tls.caCert`),
    ...checkPair(tls, `${field}.tls`, false),
    ...(auth === undefined && agentAddress === undefined
      ? [{ field: `${field}.auth`, message: "must be set without agentAddress: one of token, tls, aws, kubernetes" }]
      : []),
    ...(auth === undefined ? [] : checkAuth(auth, `${field}.auth`)),
  ];
}

function checkAuth(auth: NonNullable<VaultConf["auth"]>, field: string): readonly Violation[] {
  const said = Object.values(auth).filter((value) => value !== undefined);
  return [
    ...(said.length === 1 ? [] : [{ field, message: "must have exactly one of token, tls, aws, kubernetes" }]),
    ...checkSource(auth.token, `${field}.token`),
    ...(auth.tls === undefined ? [] : checkPair(auth.tls, `${field}.tls`, true)),
  ];
}

function checkPair(
  { clientCert, clientKey }: NonNullable<NonNullable<VaultConf["auth"]>["tls"]>,
  field: string,
  isRequired: boolean,
): readonly Violation[] {
  const count = [clientCert, clientKey].filter((each) => each !== undefined).length;
  const isWhole = count === 2 || (count === 0 && !isRequired);
  return [
    ...(isWhole ? [] : [{ field, message: "must have both clientCert and clientKey" }]),
    ...checkSource(clientCert, `${field}.clientCert`),
    ...checkSource(clientKey, `${field}.clientKey`),
  ];
}
