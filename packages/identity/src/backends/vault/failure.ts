import { AuthorityFailure } from "../remote/authority-failure.ts";

/** The failure that an answer with this status is. */
export function failureOf(status: number, errors: readonly string[], what: string): AuthorityFailure {
  const said = errors.length > 0 ? errors.join("; ").replaceAll(/\s+/g, " ").slice(0, 500) : `status ${status}`;
  if (status === 503 && /sealed/i.test(said)) {
    return new AuthorityFailure("unavailable", "Vault is sealed; unseal it");
  }
  if (status === 403 || status === 401) return new AuthorityFailure("denied", `Vault denies ${what}: ${said}`);
  if (status >= 500 || status === 429 || status === 412) {
    return new AuthorityFailure("unavailable", `Vault cannot serve ${what}: ${said}`);
  }
  return new AuthorityFailure("refused", `Vault refuses ${what}: ${said}`);
}
