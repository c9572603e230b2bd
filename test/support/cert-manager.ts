import type { TestContext } from "node:test";
import { X509Certificate } from "node:crypto";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { type Kubernetes, startKubernetes } from "./kubernetes.ts";
import { setEnvironment } from "./moto.ts";

/** Where the control plane of a test makes its CertificateRequests. */
export const NAMESPACE = "kuma-system";

/** Kubernetes with cert-manager's Issuer "mesh-ca"; tells the issuer's root. */
export async function withIssuer(t: TestContext): Promise<{ readonly kubernetes: Kubernetes; readonly root: string }> {
  const kubernetes = await startKubernetes(t, NAMESPACE);
  setEnvironment(t, { KUBECONFIG: kubernetes.kubeconfig });
  const root = await writeAuthority(kubernetes);
  const body = {
    apiVersion: "cert-manager.io/v1",
    kind: "Issuer",
    metadata: { name: "mesh-ca" },
    spec: { ca: { secretName: "mesh-ca" } },
  };
  const issuers = { group: "cert-manager.io", version: "v1", plural: "issuers", namespace: NAMESPACE };
  await kubernetes.objects.createNamespacedCustomObject({ ...issuers, body });
  await kubernetes.startCertManager();
  return { kubernetes, root };
}

/** Gives the issuer a new authority; tells its root. */
export async function writeAuthority({ core }: Kubernetes): Promise<string> {
  const { certificatePem, keyPem } = await createCa(meshCaRequest("default", "ecdsa-p256", new Date()));
  const metadata = { name: "mesh-ca", namespace: NAMESPACE };
  const stringData = { "tls.crt": certificatePem, "tls.key": keyPem };
  const body = { metadata, type: "kubernetes.io/tls", stringData };
  await core.deleteNamespacedSecret(metadata).catch(() => undefined);
  await core.createNamespacedSecret({ namespace: NAMESPACE, body });
  return new X509Certificate(certificatePem).toString();
}
