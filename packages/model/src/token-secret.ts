/**
 * How a launcher and a control plane agree that Envoy reads its token from a file: the launcher claims the feature and
 * keeps a secret in its work directory, the control plane makes Envoy take the token from it. Not part of Kuma's
 * exchange; a kuma-dp does not claim it, and gets its token in the bootstrap.
 */
export const TOKEN_SECRET = {
  feature: "feature-heddle-token-secret",
  /** In the launcher's work directory: an SDS file with the secret. */
  file: "token-secret.json",
  name: "dataplane_token",
} as const;
