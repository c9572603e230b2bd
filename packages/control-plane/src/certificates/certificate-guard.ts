import type { WriteGuard } from "@heddle/api/ports.ts";
import { enabledBackend, type MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { certificateMillis } from "../identity/mesh-backends.ts";
import type { InspectOptions } from "../inspect/options.ts";
import { meshCertificates } from "./certificate-facts.ts";
import { authorityWarnings, targetWarnings } from "./warnings.ts";

/** Answers the write of a Mesh with what will go wrong with its authorities unless somebody acts. Refuses nothing. */
export function certificateGuard({
  meshes,
  authorities,
  availabilityTarget,
  now,
}: Pick<InspectOptions, "meshes" | "authorities" | "availabilityTarget" | "now">): WriteGuard {
  return (write) => {
    if (write.operation === "delete" || write.kind.type !== "Mesh") return {};
    const { name, spec } = write.resource;
    const signer = enabledBackend(spec as MeshSpec);
    if (signer === undefined) return {};
    const life = { name: signer.name, signs: true, certificateMillis: certificateMillis(signer) };
    const runtime = meshes.get(name);
    const found = runtime && meshCertificates(runtime, authorities);
    // What is listed no more is nobody's concern; how long certificates live says the new Mesh.
    const listed = found?.authorities.filter((each) =>
      (spec as MeshSpec).mtls?.backends?.some((b) => b.name === each.name),
    );
    const known = found && authorityWarnings({ ...found, authorities: listed ?? [] }, now(), 0);
    return { warnings: [...targetWarnings(life, availabilityTarget), ...(known ?? [])].map(({ message }) => message) };
  };
}
