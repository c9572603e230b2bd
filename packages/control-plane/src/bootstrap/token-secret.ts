import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";

/** Whether the launcher keeps the token in a file that Envoy can watch. */
export function hasTokenSecret(request: BootstrapRequest): boolean {
  return request.workdir !== undefined && request.features.includes(TOKEN_SECRET.feature);
}

/**
 * The filters of the control plane's cluster: with a token in a file, one that puts it on every stream, as it is then. A
 * token that was renewed counts from the next stream on, without a restart.
 *
 * Kuma has Envoy's Google gRPC client read the file. It takes no retry policy in Envoy 1.40: measured, its streams come
 * up to 30 s apart while the control plane is away, against 5 s here. `%FILE_CONTENT()%` in the metadata is not known
 * to Envoy 1.40 in that place.
 */
export function adsHttpFilters(request: BootstrapRequest): readonly object[] {
  if (!hasTokenSecret(request)) return [];
  return [
    {
      name: "envoy.filters.http.credential_injector",
      typedConfig: {
        "@type": `${EXTENSIONS}.filters.http.credential_injector.v3.CredentialInjector`,
        overwrite: true,
        credential: {
          name: "envoy.http.injected_credentials.generic",
          typedConfig: {
            "@type": `${EXTENSIONS}.http.injected_credentials.generic.v3.Generic`,
            header: "authorization",
            credential: {
              name: TOKEN_SECRET.name,
              sdsConfig: {
                resourceApiVersion: "V3",
                pathConfigSource: { path: `${request.workdir}/${TOKEN_SECRET.file}` },
              },
            },
          },
        },
      },
    },
    // Filters of a cluster end with the one that writes to the wire.
    {
      name: "envoy.filters.http.upstream_codec",
      typedConfig: { "@type": `${EXTENSIONS}.filters.http.upstream_codec.v3.UpstreamCodec` },
    },
  ];
}

const EXTENSIONS = "type.googleapis.com/envoy.extensions";
