import type { Parsed } from "@heddle/model/violation.ts";
import type { Ca } from "../../ca.ts";
import type { CertificateAndKey } from "../../certificate.ts";
import { loadCa } from "../../load-ca.ts";

/** Reads an authority that the operator provides; `field` is where its settings stand, so that a violation points there. */
export function loadProvided(pair: CertificateAndKey, now: Date, field: string): Parsed<Ca> {
  return loadCa(pair, now, { certificate: `${field}.cert`, key: `${field}.key` });
}
