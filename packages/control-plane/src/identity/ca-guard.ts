import type { WriteGuard } from "@heddle/api/ports.ts";
import { loadProvided } from "@heddle/identity/backends/provided/load-provided.ts";
import { tryAuthority } from "@heddle/identity/backends/remote/try-authority.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { MeshSpec, MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { Authorities } from "./authorities.ts";
import { readProvidedPair } from "./mesh-backends.ts";
import { readRemote } from "./remote-backends.ts";
import { SourceMissing } from "./source-reader.ts";

/**
 * Tries the certificate authorities that a write brings or changes, so that one which cannot sign is not taken at all.
 * `skipValidation: true` lets anything through, as in Kuma.
 */
export function caGuard({ sources }: Pick<Authorities, "sources">): WriteGuard {
  return async (write) => {
    if (write.operation === "delete" || write.kind.type !== "Mesh") return {};
    const mesh = write.resource as Resource<MeshSpec>;
    const { mtls } = mesh.spec;
    if (!mtls?.enabledBackend || mtls.skipValidation) return {};
    const before = write.operation === "update" ? (write.previous?.spec as MeshSpec | undefined) : undefined;
    const known = new Set(before?.mtls?.backends?.map((backend) => canonicalJson(backend)));
    const violations: Violation[] = [];
    for (const [index, backend] of (mtls.backends ?? []).entries()) {
      if (known.has(canonicalJson(backend))) continue;
      violations.push(...(await tried({ mesh, backend, field: `mtls.backends[${index}].conf`, sources })));
    }
    return { violations };
  };
}

async function tried(at: {
  readonly mesh: Resource<MeshSpec>;
  readonly backend: MtlsBackend;
  readonly field: string;
  readonly sources: Authorities["sources"];
}): Promise<readonly Violation[]> {
  try {
    return await violationsOf(at);
  } catch (error) {
    if (!(error instanceof SourceMissing)) throw error;
    return [{ field: error.field, message: error.state }];
  }
}

async function violationsOf(at: Parameters<typeof tried>[0]): Promise<readonly Violation[]> {
  switch (at.backend.type) {
    case "builtin":
      return [];
    case "provided": {
      const ca = loadProvided(await readProvidedPair(at), new Date(), at.field);
      return ca.ok ? [] : ca.violations;
    }
    case "vault":
    case "acmpca":
    case "certmanager": {
      const { make, name, field } = await readRemote(at);
      const problem = await tryAuthority(make, at.mesh.name);
      if (problem === undefined) return [];
      const skip = `or write the mesh with mtls.skipValidation: true while ${name} cannot be reached`;
      return [{ field, message: `does not work: ${problem}; repair it, ${skip}` }];
    }
  }
}
