import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { any } from "@heddle/envoy/any.ts";
import { SecretSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { SPIFFECertValidatorConfigSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb.js";

/** A proxy's own certificate with its chain, and its key; both PEM. */
export function identitySecret(name: string, certificatePem: string, keyPem: string): EncodedResource {
  return encodeResource(SecretSchema, name, {
    name,
    type: {
      case: "tlsCertificate",
      value: { certificateChain: inline(certificatePem), privateKey: inline(keyPem) },
    },
  });
}

/** The certificate authorities of a mesh; PEM, one after the other. */
export function authoritiesSecret(name: string, caPem: string): EncodedResource {
  return encodeResource(SecretSchema, name, {
    name,
    type: { case: "validationContext", value: { trustedCa: inline(caPem) } },
  });
}

/** The certificate authorities of each SPIFFE trust domain: one domain's authority cannot speak for another's. */
export function trustDomainsSecret(name: string, bundles: ReadonlyMap<string, string>): EncodedResource {
  const trustDomains = [...bundles]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, pem]) => ({ name: domain, trustBundle: inline(pem) }));
  return encodeResource(SecretSchema, name, {
    name,
    type: {
      case: "validationContext",
      value: {
        customValidatorConfig: {
          name: "envoy.tls.cert_validator.spiffe",
          typedConfig: any(SPIFFECertValidatorConfigSchema, { trustDomains }),
        },
      },
    },
  });
}

/** A secret with which every certificate is refused, whoever signed it. Envoy wants authorities all the same: `caPem`. */
export function nobodysSecret(name: string, caPem: string): EncodedResource {
  return encodeResource(SecretSchema, name, {
    name,
    type: {
      case: "validationContext",
      value: { trustedCa: inline(caPem), verifyCertificateHash: ["00".repeat(32)] },
    },
  });
}

function inline(text: string): { specifier: { case: "inlineString"; value: string } } {
  return { specifier: { case: "inlineString", value: text } };
}
