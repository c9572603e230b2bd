import { readFile } from "node:fs/promises";
import type { ProxyIdentity } from "@heddle/engine/snapshot/identity.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { BackendState } from "@heddle/identity/backends/backend.ts";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import { enabledBackend, type MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { renderSpiffeTemplate, DEFAULT_TRUST_DOMAIN } from "@heddle/model/spiffe.ts";
import { type PairInForce, pairInForce, type PairNames } from "../ca-rotation/pair-in-force.ts";
import { readRotation, type RotationPlace } from "../ca-rotation/record.ts";
import type { Secrets } from "../secrets.ts";
import { type Authority, type AuthorityFacts, type CaEvents, MeshCas } from "./mesh-cas.ts";
import { SourceReader } from "./source-reader.ts";

export type { Authority };

const DAY = 86_400_000;

/** What is told when nobody listens. */
const SILENT: CaEvents = { onChange: () => undefined, onState: () => undefined, onFailure: () => undefined };

/** The certificate authorities of the meshes. Keys that are made here live in Secrets and are made once, never again. */
export class Authorities {
  readonly #secrets: Secrets;
  readonly #zone: string;
  readonly #now: () => Date;
  readonly #sources: SourceReader;
  readonly #meshes = new Map<
    string,
    { readonly cas: MeshCas; prepared: Promise<void>; resource: Resource<MeshSpec> | undefined }
  >();
  readonly #loaded = new Map<
    string,
    { readonly pair: string; readonly issuer: string; readonly authority: Authority }
  >();
  /** Why identities have no authority, or go on with the one that they had. */
  readonly #problems = new Map<string, { readonly reason: string; readonly since: Date }>();
  #events = SILENT;

  constructor(secrets: Secrets, zone: string, now: () => Date) {
    this.#secrets = secrets;
    this.#zone = zone;
    this.#now = now;
    this.#sources = new SourceReader(secrets, (mesh) => void this.#readAgain(mesh));
  }

  /** Says who is told of changes that come from elsewhere than the store. */
  listen(events: CaEvents): void {
    this.#events = events;
  }

  /** Makes sure that the authorities which a mesh lists are there. Without them its proxies could not be served. */
  async prepareMesh(mesh: Resource<MeshSpec>, mayCreate: boolean): Promise<void> {
    if (enabledBackend(mesh.spec) === undefined) return this.removeMesh(mesh.name);
    const known = this.#meshes.get(mesh.name) ?? {
      cas: this.#casOf(mesh.name),
      prepared: Promise.resolve(),
      resource: undefined,
    };
    this.#meshes.set(mesh.name, known);
    known.resource = mesh;
    // One after the other: a file may change while the mesh is being written.
    known.prepared = known.prepared.then(() =>
      known.cas.prepare(mesh, (names, make) => this.#pairInForce({ mesh: mesh.name }, { ...names, mayCreate }, make)),
    );
    await known.prepared;
  }

  /** A Secret of a mesh was written or deleted: what was made of it is made anew. Says whether there was such a thing. */
  async secretChanged(mesh: string, name: string): Promise<boolean> {
    if (!this.#sources.uses(mesh, name)) return false;
    await this.#prepareAgain(mesh);
    return true;
  }

  removeMesh(mesh: string): void {
    this.#meshes.get(mesh)?.cas.close();
    this.#meshes.delete(mesh);
  }

  /** Ends everything that goes on by itself. */
  stop(): void {
    this.#sources.stop();
    for (const mesh of this.#meshes.keys()) this.removeMesh(mesh);
  }

  /** Where operators' certificates, keys and tokens are read. */
  get sources(): SourceReader {
    return this.#sources;
  }

  /** How the backends of a mesh are, by name. */
  states(mesh: string): ReadonlyMap<string, BackendState> {
    return this.#meshes.get(mesh)?.cas.states() ?? new Map();
  }

  /** All about the backends that a mesh lists, in its order. */
  describe(mesh: string): readonly AuthorityFacts[] {
    return this.#meshes.get(mesh)?.cas.describe() ?? [];
  }

  /** The same for the authority of a MeshIdentity. */
  describeIdentity(identity: Resource<MeshIdentitySpec>): AuthorityFacts {
    const key = identityKey(identity);
    const loaded = this.#loaded.get(key);
    const problem = this.#problems.get(key);
    return {
      name: formatKri(kriOf("mid", identity)),
      type: identity.spec.provider.type.toLowerCase(),
      state:
        problem === undefined ? { state: loaded === undefined ? "starting" : "ready" } : { state: "down", ...problem },
      roots: pemCertificates(loaded?.authority.caPem ?? "").map((pem) => ({ pem })),
      issuer: loaded?.issuer,
      certificateMillis: loaded?.authority.certificateMillis ?? DAY,
    };
  }

  /** Makes sure that the authority of a MeshIdentity is there; throws with the reason when it cannot be had. */
  async prepareIdentity(identity: Resource<MeshIdentitySpec>, mayCreate: boolean): Promise<void> {
    const key = identityKey(identity);
    try {
      await this.#prepareIdentity(identity, mayCreate);
      this.#problems.delete(key);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#problems.set(key, { reason, since: this.#problems.get(key)?.since ?? this.#now() });
      throw cause;
    }
  }

  async #prepareIdentity(identity: Resource<MeshIdentitySpec>, mayCreate: boolean): Promise<void> {
    const { bundled } = identity.spec.provider;
    const names = identitySecretNames(identity.name);
    const pair = bundled?.ca?.certificate
      ? await this.#given(identity.mesh, bundled.ca)
      : await this.#pairInForce({ mesh: identity.mesh, identity: identity.name }, { ...names, mayCreate }, () =>
          this.newIdentityCa(identity),
        );
    const certificateMillis = toMillis(bundled?.certificateParameters?.expiry) ?? DAY;
    this.#load(identityKey(identity), pair, certificateMillis);
  }

  /** A new authority for an identity whose authority is made here. It is stored nowhere yet. */
  async newIdentityCa(identity: Resource<MeshIdentitySpec>): Promise<CertificateAndKey> {
    const domain = this.trustDomain(identity);
    const request = meshCaRequest(identity.mesh, "ecdsa-p256", this.#now());
    return await createCa({ ...request, commonName: domain, uri: `spiffe://${domain}` });
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
    return issuer.by === "Mesh"
      ? this.#meshes.get(mesh)?.cas.authority(issuer.backend)
      : this.#loaded.get(identityKey(issuer.resource))?.authority;
  }

  /** The authority of an identity, for its MeshTrust. */
  ofIdentity(identity: Resource<MeshIdentitySpec>): Authority | undefined {
    return this.#loaded.get(identityKey(identity))?.authority;
  }

  /** All authorities that proxies of a mesh trust under Mesh.mtls, as PEM; empty while none is known. */
  meshBundle(mesh: MeshSnapshot): string {
    return this.#meshes.get(mesh.mesh.name)?.cas.bundle() ?? "";
  }

  #casOf(mesh: string): MeshCas {
    return new MeshCas({
      mesh,
      secrets: this.#secrets,
      sources: this.#sources,
      now: this.#now,
      onChange: (name) => this.#events.onChange(name),
      onState: (...state) => this.#events.onState(...state),
      onFailure: (...failure) => this.#events.onFailure(...failure),
      lastEnd: (name) => this.#events.lastEnd?.(name),
    });
  }

  /** Trusts no more the roots of a backend that sign no more. */
  async forgetRetired(mesh: string, backend: string): Promise<void> {
    await this.#meshes.get(mesh)?.cas.forgetRetired(backend);
    this.#events.onChange(mesh);
  }

  /** What the authorities of a mesh are made of was replaced: they are opened again. */
  async reopenMesh(mesh: string): Promise<void> {
    await this.#prepareAgain(mesh);
  }

  async #prepareAgain(mesh: string): Promise<void> {
    const { resource } = this.#meshes.get(mesh) ?? {};
    if (resource === undefined) return;
    // It was there before: an authority that is gone must not be made anew for the sake of another one.
    await this.prepareMesh(resource, false);
    this.#events.onChange(mesh);
  }

  async #readAgain(mesh: string): Promise<void> {
    try {
      await this.#prepareAgain(mesh);
    } catch (cause) {
      this.#events.onFailure(`Cannot read the certificate authorities of mesh "${mesh}" again`, cause);
    }
  }

  async #pairInForce(
    place: RotationPlace,
    { mayCreate, ...names }: PairNames & { readonly mayCreate: boolean },
    make: () => Promise<CertificateAndKey>,
  ): Promise<PairInForce> {
    const rotation = await readRotation(this.#secrets, place);
    return await pairInForce(rotation, names, () => this.#pair({ mesh: place.mesh, ...names, mayCreate }, make));
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
      issuer: pemCertificates(ca.value.certificatePem)[0] ?? "",
      authority: {
        caPem: ca.value.trustAnchorPem,
        certificateMillis,
        issue: (request) => issueCertificate(ca.value, request),
      },
    });
  }
}

/** The names of the Secrets that hold the authority of a MeshIdentity, where it is made here. */
export function identitySecretNames(identity: string): PairNames {
  return { certificate: `${identity}-root-ca`, key: `${identity}-private-key` };
}

function identityKey(identity: Resource<MeshIdentitySpec>): string {
  return `MeshIdentity "${identity.name}" of mesh "${identity.mesh}"`;
}
