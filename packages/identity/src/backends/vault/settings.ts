import type { VaultConf } from "@heddle/model/kinds/mesh-ca-vault.ts";
import type { ReadSource, Timeouts } from "../remote/sources.ts";

/** A certificate and its key to show to a server, PEM. */
export interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

/** How the control plane logs in; texts instead of the places where they are. */
export type VaultLogin =
  /** A Vault Agent does it for us. */
  | { readonly by: "agent" }
  | { readonly by: "token"; readonly token: string }
  | { readonly by: "tls" }
  | {
      readonly by: "aws";
      readonly role: string | undefined;
      readonly serverId: string | undefined;
    }
  | { readonly by: "kubernetes"; readonly role: string; readonly path: string; readonly tokenPath: string };

/** What is needed to talk to Vault's PKI engine. Equal settings mean the same backend. */
export interface VaultSettings extends Timeouts {
  readonly address: string;
  readonly namespace: string | undefined;
  readonly pki: string;
  readonly role: string;
  readonly commonName: string | undefined;
  readonly tls: {
    readonly ca: string | undefined;
    readonly client: ClientPair | undefined;
    readonly skipVerify: boolean;
    readonly serverName: string | undefined;
  };
  readonly login: VaultLogin;
}

/** Kubernetes puts it there in every pod. */
const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** The settings with everything read that they name; `field` is where they stand, for messages. */
export async function readVaultSettings(
  conf: VaultConf,
  timeouts: Timeouts,
  { read, field }: { readonly read: ReadSource; readonly field: string },
): Promise<VaultSettings> {
  const { tls = {}, auth = {} } = conf;
  const pair = await readPair(auth.tls ?? tls, read, auth.tls === undefined ? `${field}.tls` : `${field}.auth.tls`);
  const ca = tls.caCert && (await read(tls.caCert, `${field}.tls.caCert`));
  return {
    address: (conf.agentAddress ?? conf.address).replace(/\/$/, ""),
    namespace: conf.namespace,
    pki: conf.pki,
    role: conf.role,
    commonName: conf.commonName,
    tls: { ca, client: pair, skipVerify: tls.skipVerify ?? false, serverName: tls.serverName },
    login: await readLogin(auth, read, `${field}.auth`),
    ...timeouts,
  };
}

async function readLogin(auth: NonNullable<VaultConf["auth"]>, read: ReadSource, field: string): Promise<VaultLogin> {
  const { token, tls, aws, kubernetes } = auth;
  if (token !== undefined) return { by: "token", token: (await read(token, `${field}.token`)).trim() };
  if (tls !== undefined) return { by: "tls" };
  if (aws !== undefined) return { by: "aws", role: aws.role, serverId: aws.iamServerIdHeader };
  if (kubernetes === undefined) return { by: "agent" };
  const { role, path = "kubernetes", tokenPath = SERVICE_ACCOUNT_TOKEN } = kubernetes;
  return { by: "kubernetes", role, path, tokenPath };
}

async function readPair(
  { clientCert, clientKey }: NonNullable<NonNullable<VaultConf["auth"]>["tls"]>,
  read: ReadSource,
  field: string,
): Promise<ClientPair | undefined> {
  if (clientCert === undefined || clientKey === undefined) return undefined;
  const [cert, key] = [await read(clientCert, `${field}.clientCert`), await read(clientKey, `${field}.clientKey`)];
  return { cert, key };
}
