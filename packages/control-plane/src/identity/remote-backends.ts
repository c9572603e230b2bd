import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { MeshSpec, MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import { caCertSource } from "@heddle/model/kinds/mesh-ca.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { acmpcaAuthority } from "@heddle/identity/backends/acmpca/acmpca-authority.ts";
import { readAcmpcaSettings } from "@heddle/identity/backends/acmpca/settings.ts";
import { certmanagerAuthority } from "@heddle/identity/backends/certmanager/certmanager-authority.ts";
import { readCertmanagerSettings } from "@heddle/identity/backends/certmanager/settings.ts";
import type { MakeAuthority } from "@heddle/identity/backends/remote/remote-backend.ts";
import { readVaultSettings } from "@heddle/identity/backends/vault/settings.ts";
import { vaultAuthority } from "@heddle/identity/backends/vault/vault-authority.ts";
import type { SourceReader } from "./source-reader.ts";

const TEN_SECONDS = 10_000;

/** An authority somewhere else that could be made: equal content means the same one. */
export interface Remote {
  readonly content: string;
  readonly make: MakeAuthority;
  /** How it is called in messages. */
  readonly name: string;
  /** Where its settings stand. */
  readonly field: string;
}

/** Reads all that the settings of an authority somewhere else name; throws with the reason when something is missing. */
export async function readRemote({
  mesh,
  backend: { type, conf = {}, dpCert, rootChain },
  field,
  sources,
}: {
  readonly mesh: Resource<MeshSpec>;
  readonly backend: MtlsBackend;
  readonly field: string;
  readonly sources: SourceReader;
}): Promise<Remote> {
  const timeouts = {
    issueTimeout: toMillis(dpCert?.requestTimeout) ?? TEN_SECONDS,
    chainTimeout: toMillis(rootChain?.requestTimeout) ?? TEN_SECONDS,
  };
  const at = { mesh: mesh.name, field, read: (source: Source, from: string) => sources.read(mesh.name, source, from) };
  const { arn, issuerRef, fromCp } = conf;
  const caCert = caCertSource(conf);
  if (type === "acmpca" && arn !== undefined) {
    const settings = await readAcmpcaSettings({ ...conf, arn, caCert }, timeouts, at);
    return remote("AWS Private CA", field, settings, acmpcaAuthority(settings));
  }
  if (type === "certmanager" && issuerRef !== undefined) {
    const settings = await readCertmanagerSettings({ ...conf, issuerRef, caCert }, timeouts, at);
    return remote("cert-manager", field, settings, certmanagerAuthority(settings));
  }
  if (fromCp === undefined) throw new Error(`${field} has not what type ${type} needs`);
  const settings = await readVaultSettings(fromCp, timeouts, { ...at, field: `${field}.fromCp` });
  return remote("Vault", `${field}.fromCp`, settings, vaultAuthority(settings));
}

type Source = Parameters<SourceReader["read"]>[1];

function remote(name: string, field: string, settings: object, make: MakeAuthority): Remote {
  return { content: `${name} ${canonicalJson(settings)}`, make, name, field };
}
