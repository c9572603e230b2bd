import { type Json, list, number, record, records, text, texts } from "../json.ts";

/** The certificate of a proxy, as `/meshes/{mesh}/_certificates` tells it. */
export interface CertificateRow {
  readonly mesh: string;
  readonly name: string;
  readonly online: boolean;
  readonly spiffeIds: readonly string[];
  readonly issuer: string | undefined;
  readonly state: string;
  readonly reason: string | undefined;
  readonly issuedAt: string | undefined;
  readonly renewsAt: string | undefined;
  readonly expiresAt: string | undefined;
}

/** A certificate authority, as `/meshes/{mesh}/_authorities` tells it. */
export interface AuthorityRow {
  readonly mesh: string;
  readonly name: string;
  readonly type: string | undefined;
  readonly signs: boolean;
  readonly state: string;
  readonly reason: string | undefined;
  readonly since: string | undefined;
  readonly availabilitySeconds: number | undefined;
  readonly issuer: AuthorityCertificate | undefined;
  readonly roots: readonly AuthorityCertificate[];
}

export interface AuthorityCertificate {
  readonly subject: string | undefined;
  readonly expiresAt: string | undefined;
  readonly trustedUntil: string | undefined;
}

/** What was asked of one mesh, in the order of the answer. */
export interface MeshAnswer<Row> {
  readonly mesh: string;
  readonly warnings: readonly string[];
  /** The first certificate of a connected proxy that ends; of `_certificates` alone. */
  readonly firstExpiry: { readonly name: string; readonly expiresAt: string } | undefined;
  readonly rows: readonly Row[];
}

/** Reads the answer of `_certificates`. */
export function parseCertificates(mesh: string, answer: unknown): MeshAnswer<CertificateRow> {
  return parse(mesh, answer, (item) => ({
    mesh,
    name: text(item["name"]) ?? "",
    online: item["online"] === true,
    spiffeIds: texts(item["spiffeIds"]),
    issuer: text(item["issuer"]),
    state: text(item["state"]) ?? "unknown",
    reason: text(item["reason"]),
    issuedAt: text(item["issuedAt"]),
    renewsAt: text(item["renewsAt"]),
    expiresAt: text(item["expiresAt"]),
  }));
}

/** Reads the answer of `_authorities`. */
export function parseAuthorities(mesh: string, answer: unknown): MeshAnswer<AuthorityRow> {
  return parse(mesh, answer, (item) => ({
    mesh,
    name: text(item["name"]) ?? "",
    type: text(item["type"]),
    signs: item["signs"] === true,
    state: text(item["state"]) ?? "unknown",
    reason: text(item["reason"]),
    since: text(item["since"]),
    availabilitySeconds: number(item["availabilitySeconds"]),
    issuer: item["issuer"] === undefined ? undefined : certificate(record(item["issuer"])),
    roots: records(item["roots"]).map(certificate),
  }));
}

function parse<Row>(mesh: string, answer: unknown, row: (item: Json) => Row): MeshAnswer<Row> {
  const body = record(answer);
  const first = record(body["firstExpiry"]);
  const [name, expiresAt] = [text(first["name"]), text(first["expiresAt"])];
  return {
    mesh,
    warnings: texts(list(body["warnings"])),
    firstExpiry: name === undefined || expiresAt === undefined ? undefined : { name, expiresAt },
    rows: records(body["items"]).map(row),
  };
}

function certificate(from: Json): AuthorityCertificate {
  return {
    subject: text(from["subject"]),
    expiresAt: text(from["expiresAt"]),
    trustedUntil: text(from["trustedUntil"]),
  };
}
