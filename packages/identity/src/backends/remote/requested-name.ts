import { renderCommonName } from "@heddle/model/kinds/mesh-ca-common-name.ts";
import type { CertificateRequest } from "../../leaf.ts";

/** The common name that a template makes of a request's tags; undefined without a template, or when a tag is missing. */
export function requestedName(
  template: string | undefined,
  { uris }: Pick<CertificateRequest, "uris">,
): string | undefined {
  if (template === undefined) return undefined;
  const tag = (key: string): string | undefined => uris.find((uri) => uri.startsWith(`kuma://${key}/`));
  return renderCommonName(template, (key) => tag(key)?.slice(`kuma://${key}/`.length));
}
