import { readFile } from "node:fs/promises";
import type { ProxyIdentity } from "@heddle/engine/snapshot/identity.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { type Ca, createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import { enabledBackend, type MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { renderSpiffeTemplate, DEFAULT_TRUST_DOMAIN } from "@heddle/model/spiffe.ts";
import type { Secrets } from "../secrets.ts";

const DAY = 86_400_000;
const TEN_YEARS = 3_650 * DAY;

/** An authority that signs for proxies, and how long its certificates live. */
export interface Authority {
  readonly ca: Ca;
  readonly caPem: string;
  readonly certificateMillis: number;
}

/** The certificate authorities of the meshes. Their keys live in Secrets and are made once, never again. */
export class Authorities {
  readonly #secrets: Secrets;
  readonly #zone: string;
  readonly #now: () => Date;
  readonly #loaded = new Map<string, { readonly pair: string; readonly authority: Authority }>();

  constructor(secrets: Secrets, zone: string, now: () => Date) {
    this.#secrets = secrets;
    this.#zone = zone;
    this.#now = now;
  }

  /** Makes sure that the authority which a mesh names is there. Without it the mesh's proxies could not be served. */
  async prepareMesh(mesh: Resource<MeshSpec>, mayCreate: boolean): Promise<void> {
    const backend = enabledBackend(mesh.spec);
    if (backend === undefined) return;
    const { caCert } = backend.conf ?? {};
    const bits = caCert?.RSAbits ?? caCert?.rsaBits;
    const request = {
      ...meshCaRequest(
        mesh.name,
        bits === undefined ? "ecdsa-p256" : bits > 2_048 ? "rsa-4096" : "rsa-2048",
        this.#now(),
      ),
      validitySeconds: (toMillis(caCert?.expiration) ?? TEN_YEARS) / 1_000,
    };
    const [certificate, key] = [
      `${mesh.name}.ca-builtin-cert-${backend.name}`,
      `${mesh.name}.ca-builtin-key-${backend.name}`,
    ];
    const pair = await this.#pair({ mesh: mesh.name, certificate, key, mayCreate }, () => createCa(request));
    const certificateMillis = toMillis(backend.dpCert?.rotation?.expiration) ?? DAY;
    this.#load(meshKey(mesh.name), pair, certificateMillis);
  }

  /** The same for a MeshIdentity. */
  async prepareIdentity(identity: Resource<MeshIdentitySpec>, mayCreate: boolean): Promise<void> {
    const { bundled } = identity.spec.provider;
    const names = { certificate: `${identity.name}-root-ca`, key: `${identity.name}-private-key` };
    const pair = bundled?.ca?.certificate
      ? await this.#given(identity.mesh, bundled.ca)
      : await this.#pair({ mesh: identity.mesh, ...names, mayCreate }, () => {
          const domain = this.trustDomain(identity);
          const request = {
            ...meshCaRequest(identity.mesh, "ecdsa-p256", this.#now()),
            commonName: domain,
            uri: `spiffe://${domain}`,
          };
          return createCa(request);
        });
    const certificateMillis = toMillis(bundled?.certificateParameters?.expiry) ?? DAY;
    this.#load(identityKey(identity), pair, certificateMillis);
  }

  /** The trust domain that an identity's SPIFFE IDs are in. */
  trustDomain(identity: Resource<MeshIdentitySpec>): string {
    const template = identity.spec.spiffeID?.trustDomain ?? DEFAULT_TRUST_DOMAIN;
    const domain = renderSpiffeTemplate(
      template,
      { mesh: identity.mesh, zone: this.#zone, labels: {} },
      "spec.spiffeID.trustDomain",
    );
    return domain.ok ? domain.value : `${identity.mesh}.${this.#zone}.mesh.local`;
  }

  /** Who signs for a proxy; undefined while its authority cannot be had. */
  forProxy(mesh: string, { issuer }: ProxyIdentity): Authority | undefined {
    return this.#loaded.get(issuer.by === "Mesh" ? meshKey(mesh) : identityKey(issuer.resource))?.authority;
  }

  /** The authority of an identity, for its MeshTrust. */
  ofIdentity(identity: Resource<MeshIdentitySpec>): Authority | undefined {
    return this.#loaded.get(identityKey(identity))?.authority;
  }

  /** All authorities that proxies of a mesh trust under Mesh.mtls, as PEM. */
  meshBundle(mesh: MeshSnapshot): string {
    return this.#loaded.get(meshKey(mesh.mesh.name))?.authority.caPem ?? "";
  }

  async #pair(
    at: { mesh: string; certificate: string; key: string; mayCreate: boolean },
    make: () => Promise<CertificateAndKey>,
  ): Promise<CertificateAndKey> {
    const certificatePem = await this.#secrets.read(at.mesh, at.certificate);
    const keyPem = await this.#secrets.read(at.mesh, at.key);
    if (certificatePem !== undefined && keyPem !== undefined) return { certificatePem, keyPem };
    if (certificatePem !== undefined || keyPem !== undefined || !at.mayCreate) {
      // A new authority would lock out every proxy that trusts the old one; an operator must decide that.
      const lost = keyPem === undefined ? at.key : at.certificate;
      throw new Error(
        `Cannot load the certificate authority of mesh "${at.mesh}": secret "${lost}" is gone; restore it, or delete ` +
          `what is left of ${at.certificate} and ${at.key} and write the resource again to start over with a new authority`,
      );
    }
    const made = await make();
    await this.#secrets.ensure(at.mesh, at.key, async () => made.keyPem);
    await this.#secrets.ensure(at.mesh, at.certificate, async () => made.certificatePem);
    // Read back: when another control plane was quicker, its authority is the one.
    return {
      certificatePem: (await this.#secrets.read(at.mesh, at.certificate)) ?? "",
      keyPem: (await this.#secrets.read(at.mesh, at.key)) ?? "",
    };
  }

  async #given(
    mesh: string,
    ca: NonNullable<NonNullable<MeshIdentitySpec["provider"]["bundled"]>["ca"]>,
  ): Promise<CertificateAndKey> {
    const [certificatePem, keyPem] = await Promise.all([
      this.#source(mesh, ca.certificate),
      this.#source(mesh, ca.privateKey),
    ]);
    return { certificatePem, keyPem };
  }

  async #source(
    mesh: string,
    source: NonNullable<NonNullable<MeshIdentitySpec["provider"]["bundled"]>["ca"]>["certificate"],
  ): Promise<string> {
    switch (source?.type) {
      case "InsecureInline":
        return source.insecureInline?.value ?? "";
      case "Secret": {
        const text = await this.#secrets.read(mesh, source.secretRef?.name ?? "");
        if (text === undefined)
          throw new Error(`Cannot read secret "${source.secretRef?.name}" of mesh "${mesh}": it does not exist`);
        return text;
      }
      case "File":
        return await readFile(source.file?.path ?? "", "utf8");
      case "EnvVar":
        return process.env[source.envVar?.name ?? ""] ?? "";
      case undefined:
        return "";
    }
  }

  #load(key: string, pair: CertificateAndKey, certificateMillis: number): void {
    const content = `${pair.certificatePem}${pair.keyPem}${certificateMillis}`;
    if (this.#loaded.get(key)?.pair === content) return;
    const ca = loadCa(pair, this.#now());
    if (!ca.ok)
      throw new Error(
        `Cannot use the certificate authority of ${key}: ${ca.violations.map(({ field, message }) => `${field} ${message}`).join("; ")}`,
      );
    this.#loaded.set(key, {
      pair: content,
      authority: { ca: ca.value, caPem: ca.value.trustAnchorPem, certificateMillis },
    });
  }
}

function meshKey(mesh: string): string {
  return `mesh "${mesh}"`;
}

function identityKey(identity: Resource<MeshIdentitySpec>): string {
  return `MeshIdentity "${identity.name}" of mesh "${identity.mesh}"`;
}
