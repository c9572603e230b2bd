import { toMillis } from "@heddle/model/duration.ts";
import type { MeshSpec, MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { CaBackend } from "@heddle/identity/backends/backend.ts";
import { builtinCaRequest, builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import { localBackend } from "@heddle/identity/backends/local-backend.ts";
import { loadProvided } from "@heddle/identity/backends/provided/load-provided.ts";
import { openRemote } from "@heddle/identity/backends/remote/remote-backend.ts";
import type { Ca } from "@heddle/identity/ca.ts";
import { createCa } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { PairInForce, PairNames } from "../ca-rotation/pair-in-force.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import type { Parsed } from "@heddle/model/violation.ts";
import { readRemote } from "./remote-backends.ts";
import type { SourceReader } from "./source-reader.ts";

/** How a backend's certificates live when its mesh says nothing, in milliseconds. */
const DAY = 86_400_000;

/** What opening a backend takes. */
export interface Opening {
  readonly mesh: Resource<MeshSpec>;
  readonly backend: MtlsBackend;
  /** Where its settings stand. */
  readonly field: string;
  readonly sources: SourceReader;
  readonly now: () => Date;
  /** The pair in these Secrets, made anew when that is allowed. */
  readonly pair: (names: PairNames, make: () => Promise<CertificateAndKey>) => Promise<PairInForce>;
}

/** A backend that could be opened: equal content means that the one which is open serves. */
export interface Openable {
  readonly content: string;
  /** A root that will sign soon and is trusted already, PEM. */
  readonly announced?: string | undefined;
  readonly open: (onChange: () => void) => CaBackend;
}

/** Reads all that a backend is made of; throws with the reason when something is missing or wrong. */
export async function readBackend(opening: Opening): Promise<Openable> {
  const { mesh, backend, now, pair, field } = opening;
  const conf = backend.conf ?? {};
  switch (backend.type) {
    case "builtin": {
      const request = builtinCaRequest(mesh.name, conf, now());
      const own = await pair(builtinSecretNames(mesh.name, backend.name), () => createCa(request));
      return { ...local(own, loadCa(own, now()), opening), announced: own.announced };
    }
    case "provided": {
      const own = await readProvidedPair(opening);
      return local(own, loadProvided(own, now(), field), opening);
    }
    case "vault":
    case "acmpca":
    case "certmanager": {
      const { content, make } = await readRemote(opening);
      return { content, open: (onChange) => openRemote(make, { now, onChange }) };
    }
  }
}

/** How long certificates of a backend live, in milliseconds. */
export function certificateMillis(backend: MtlsBackend): number {
  return toMillis(backend.dpCert?.rotation?.expiration) ?? DAY;
}

/** The certificate and key of a provided authority, from where they are. */
export async function readProvidedPair({
  mesh,
  backend: { conf = {} },
  field,
  sources,
}: Pick<Opening, "mesh" | "backend" | "field" | "sources">): Promise<CertificateAndKey> {
  const { cert = {}, key = {} } = conf;
  return {
    certificatePem: await sources.read(mesh.name, cert, `${field}.cert`),
    keyPem: await sources.read(mesh.name, key, `${field}.key`),
  };
}

function local(pair: CertificateAndKey, ca: Parsed<Ca>, { mesh, backend }: Opening): Openable {
  if (ca.ok) return { content: `${pair.certificatePem}${pair.keyPem}`, open: () => localBackend(ca.value) };
  const reasons = ca.violations.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new Error(`Cannot use the certificate authority "${backend.name}" of mesh "${mesh.name}": ${reasons}`);
}
