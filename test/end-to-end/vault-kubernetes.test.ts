/** A pod's login at Vault: a real API server judges the token of the service account, a real OpenBao asks it. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { AuthoritiesReport } from "@heddle/api/reports.ts";
import { RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { eventually } from "../support/eventually.ts";
import { type Kubernetes, startKubernetes, withoutKubernetes } from "../support/kubernetes.ts";
import { startLab } from "../support/lab.ts";
import { type OpenBao, startOpenBao } from "../support/openbao.ts";

const NAMESPACE = "mesh-system";

/** A token of a service account, which is made when it is not there. */
async function serviceAccountToken({ core }: Kubernetes, name: string): Promise<string> {
  await core.createNamespacedServiceAccount({ namespace: NAMESPACE, body: { metadata: { name } } });
  const body = { spec: { audiences: ["https://kubernetes.default.svc"], expirationSeconds: 3_600 } };
  const { status } = await core.createNamespacedServiceAccountToken({ namespace: NAMESPACE, name, body });
  return status?.token ?? "";
}

/** OpenBao asks this cluster about tokens, as a service account that may have them reviewed. */
async function enableLogin(bao: OpenBao, kubernetes: Kubernetes): Promise<void> {
  const reviewer = await serviceAccountToken(kubernetes, "vault");
  await kubernetes.config.makeApiClient(RbacAuthorizationV1Api).createClusterRoleBinding({
    body: {
      metadata: { name: "vault" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
      subjects: [{ kind: "ServiceAccount", name: "vault", namespace: NAMESPACE }],
    },
  });
  const cluster = kubernetes.config.getCurrentCluster();
  await bao.call("POST", "sys/auth/cluster-1", { type: "kubernetes" });
  await bao.call("POST", "auth/cluster-1/config", {
    kubernetes_host: cluster?.server,
    kubernetes_ca_cert: await readFile(cluster?.caFile ?? "", "utf8"),
    token_reviewer_jwt: reviewer,
    disable_local_ca_jwt: true,
  });
  const names = {
    bound_service_account_names: "control-plane",
    bound_service_account_namespaces: NAMESPACE,
    audience: "https://kubernetes.default.svc",
  };
  await bao.call("POST", "auth/cluster-1/role/mesh", { ...names, token_policies: "mesh", token_ttl: "2s" });
}

test(
  "a pod logs in at Vault by its service account, again and again; another pod is denied",
  {
    skip: withoutKubernetes(),
  },
  async (t) => {
    const [bao, kubernetes, lab] = await Promise.all([startOpenBao(t), startKubernetes(t, NAMESPACE), startLab(t)]);
    await enableLogin(bao, kubernetes);
    const put = async (tokenPath: string): Promise<Response> => {
      const auth = { kubernetes: { role: "mesh", path: "cluster-1", tokenPath } };
      const fromCp = { address: bao.address, pki: "pki-default", role: "dataplanes", auth };
      const backends = [{ name: "vault-1", type: "vault", conf: { fromCp } }];
      const mtls = { enabledBackend: "vault-1", backends };
      return await lab.put(Object.assign({ type: "Mesh", name: "default" }, { mtls }));
    };
    const state = async (): Promise<string | undefined> =>
      ((await lab.get("/meshes/default/_authorities")) as AuthoritiesReport).items[0]?.state;

    const stranger = join(lab.folder, "stranger");
    await writeFile(stranger, await serviceAccountToken(kubernetes, "stranger"));
    const refused = await put(stranger);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /Vault denies to log in by kubernetes: .*not authorized/);

    const own = join(lab.folder, "own");
    await writeFile(own, await serviceAccountToken(kubernetes, "control-plane"));
    const accepted = await put(own);
    assert.ok(accepted.ok, await accepted.text());
    await eventually(async () => assert.equal(await state(), "ready"));

    // The cluster knows this service account no more, and neither does Vault.
    await kubernetes.core.deleteNamespacedServiceAccount({ namespace: NAMESPACE, name: "control-plane" });
    await bao.call("POST", "sys/leases/revoke-prefix/auth/cluster-1");
    await eventually(async () => assert.equal(await state(), "down"), 15_000);
    await writeFile(own, await serviceAccountToken(kubernetes, "control-plane"));
    await eventually(async () => assert.equal(await state(), "ready"), 40_000);
  },
);
