import type { DataplaneInsightSpec } from "@heddle/model/kinds/dataplane-insight.ts";
import { isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import { enabledBackend, type MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Verdict, WriteGuard } from "../ports.ts";

/**
 * Keeps a certificate authority while it is needed. Another one may sign from now on, but the old one stays listed until
 * every proxy has a new certificate: peers would refuse the certificates of an authority that they no longer know.
 * `skipValidation: true` in the mesh lets anything through, as in Kuma.
 */
export const meshCaGuard: WriteGuard = async (write, read): Promise<Verdict> => {
  if (write.operation !== "update" || write.kind.type !== "Mesh" || write.previous === undefined) return {};
  const before = write.previous.spec as MeshSpec;
  const after = write.resource.spec as MeshSpec;
  const signer = enabledBackend(before);
  if (signer === undefined || enabledBackend(after) === undefined || after.mtls?.skipValidation) return {};

  const kept = new Set(after.mtls?.backends?.map((backend) => backend.name));
  const gone = (before.mtls?.backends ?? []).map((backend) => backend.name).filter((name) => !kept.has(name));
  for (const name of gone) {
    const holders = await proxiesWith(name, write.resource.name, read);
    if (name !== signer.name && holders === 0) continue;
    const message =
      name === signer.name
        ? `must still list "${name}", which signs now: keep it, switch enabledBackend, and remove it in a later write`
        : `must still list "${name}": ${holders} proxies have certificates of it; wait until they have new ones`;
    return { violations: [{ field: "mtls.backends", message }] };
  }
  return {};
};

async function proxiesWith(backend: string, mesh: string, read: Parameters<WriteGuard>[1]): Promise<number> {
  const page = await read.list({
    type: "DataplaneInsight",
    mesh,
    size: 1,
    where: ({ spec }) => {
      const insight = spec as DataplaneInsightSpec;
      return isOnline(insight) && insight.mTLS?.issuedBackend === backend;
    },
  });
  return page.total;
}
