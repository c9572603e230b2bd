import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { CaRotation } from "./record.ts";

/** The Secrets that hold an authority which was made here. */
export interface PairNames {
  readonly certificate: string;
  readonly key: string;
}

/** Who signs, and who will soon. */
export interface PairInForce extends CertificateAndKey {
  /** The certificate of the next one, PEM: it is trusted already. */
  readonly announced?: string | undefined;
}

/**
 * Which pair signs. From the one write on that begins the phase "issuing" it is the new one, which is in the record of the
 * rotation: what the two Secrets hold counts only when there is no such record, so nobody ever sees one half of a pair.
 */
export async function pairInForce(
  rotation: CaRotation | undefined,
  names: PairNames,
  stored: () => Promise<CertificateAndKey>,
): Promise<PairInForce> {
  const next = rotation?.pair?.key === names.key ? rotation.next : undefined;
  if (next === undefined) return await stored();
  return rotation?.phase === "trusting" ? { ...(await stored()), announced: next.certificatePem } : next;
}
