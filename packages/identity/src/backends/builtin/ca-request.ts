import { toMillis } from "@heddle/model/duration.ts";
import type { CaConf } from "@heddle/model/kinds/mesh-ca.ts";
import { type CaRequest, DEFAULT_CA_VALIDITY_SECONDS, meshCaRequest } from "../../ca.ts";
import type { KeyType } from "../../key-pair.ts";

/** What the builtin authority of a mesh is made from. */
export function builtinCaRequest(mesh: string, { caCert }: CaConf, now: Date): CaRequest {
  const millis = toMillis(caCert?.expiration);
  return {
    ...meshCaRequest(mesh, keyTypeOf(caCert?.RSAbits ?? caCert?.rsaBits), now),
    validitySeconds: millis === undefined ? DEFAULT_CA_VALIDITY_SECONDS : millis / 1_000,
  };
}

/** The names of the Secrets that hold it, as in Kuma. */
export function builtinSecretNames(mesh: string, backend: string): { certificate: string; key: string } {
  return { certificate: `${mesh}.ca-builtin-cert-${backend}`, key: `${mesh}.ca-builtin-key-${backend}` };
}

function keyTypeOf(bits: number | undefined): KeyType {
  if (bits === undefined) return "ecdsa-p256";
  return bits > 2_048 ? "rsa-4096" : "rsa-2048";
}
