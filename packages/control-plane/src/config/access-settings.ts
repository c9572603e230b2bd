import { z } from "zod";
import { OIDC_SETTINGS } from "./oidc-settings.ts";
import { choice, millis, type Setting, text, toggle, whole } from "./setting.ts";
import { STATIC_ACCESS_SETTINGS } from "./static-access-settings.ts";
import { structure } from "./structure.ts";

const SECOND = 1_000;
const MAX = 1_000_000;

const publicKey = {
  kid: z.string().min(1),
  key: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
};
const oneKey = { error: "must have either key or keyFile" };

const userKeys = z.array(z.strictObject(publicKey).refine(hasOneKey, oneKey)).readonly();
const dataplaneKeys = z
  .array(z.strictObject({ ...publicKey, mesh: z.string().min(1) }).refine(hasOneKey, oneKey))
  .readonly();
export type PublicKey = z.infer<typeof userKeys>[number] & { readonly mesh?: string };

function hasOneKey({
  key,
  keyFile,
}: {
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
}): boolean {
  return (key === undefined) !== (keyFile === undefined);
}

const backends = z
  .array(
    z.discriminatedUnion("type", [
      z.strictObject({
        type: z.literal("file"),
        file: z.strictObject({
          path: z.string().min(1),
          rotation: z
            .strictObject({
              enabled: z.boolean().optional(),
              maxRetainedFiles: z.int().min(0).max(MAX).optional(),
              maxSizeMb: z.int().min(1).max(MAX).optional(),
              maxAgeDays: z.int().min(0).max(MAX).optional(),
            })
            .optional(),
        }),
      }),
      z.strictObject({
        type: z.literal("tcp"),
        tcp: z.strictObject({
          address: z.string().regex(/^.+:[0-9]{1,5}$/, { error: "must be host:port" }),
        }),
      }),
      z.strictObject({ type: z.literal("otlp"), otlp: z.strictObject({ endpoint: z.url({ protocol: /^https?$/ }) }) }),
    ]),
  )
  .readonly();
export type AuditBackend = z.infer<typeof backends>[number];

/** Who may do what, how people and programs prove who they are, and where it is written down. */
export const ACCESS_SETTINGS = {
  accessType: choice(["static", "rbac"], {
    path: "access.type",
    variables: ["ACCESS_TYPE"],
    description: "Who may do what: static (the lists of access.static) or rbac (AccessRole, AccessRoleBinding)",
    default: "static",
  }),
  localhostIsAdmin: toggle({
    path: "apiServer.authn.localhostIsAdmin",
    variables: ["API_SERVER_AUTHN_LOCALHOST_IS_ADMIN"],
    description: "Whether callers on this machine are administrators",
    default: true,
  }),
  anonymousWrites: toggle({
    path: "apiServer.authn.anonymousWrites",
    variables: ["API_SERVER_AUTHN_ANONYMOUS_WRITES"],
    description: "Whether callers without identity may write resources, as in Kuma",
    default: false,
  }),
  ...STATIC_ACCESS_SETTINGS,
  ...OIDC_SETTINGS,
  apiHttpsCaFile: text({
    path: "apiServer.https.tlsCaFile",
    flag: "--api-https-ca-file",
    variables: ["API_SERVER_HTTPS_TLS_CA_FILE"],
    description: "Authority of client certificates, PEM: its certificates name their users (CN) and groups (O)",
    default: "",
  }),
  apiHttpsRequireClientCert: toggle({
    path: "apiServer.https.requireClientCert",
    variables: ["API_SERVER_HTTPS_REQUIRE_CLIENT_CERT"],
    description: "Whether the REST API over HTTPS turns away who shows no certificate of tlsCaFile",
    default: false,
  }),
  userTokenIssuer: toggle({
    path: "apiServer.authn.tokens.enableIssuer",
    variables: ["API_SERVER_AUTHN_TOKENS_ENABLE_ISSUER"],
    description: "Whether this control plane has a key for user tokens and issues them",
    default: true,
  }),
  userTokenSecrets: toggle({
    path: "apiServer.authn.tokens.validator.useSecrets",
    variables: ["API_SERVER_AUTHN_TOKENS_VALIDATOR_USE_SECRETS"],
    description: "Whether user tokens signed with the keys in the store are accepted",
    default: true,
  }),
  userTokenPublicKeys: structure(userKeys, {
    path: "apiServer.authn.tokens.validator.publicKeys",
    variables: ["API_SERVER_AUTHN_TOKENS_VALIDATOR_PUBLIC_KEYS"],
    description: "Public keys of user tokens signed elsewhere: a list of {kid, key or keyFile}",
    default: [],
  }),
  dpTokenIssuer: toggle({
    path: "dpServer.authn.dpProxy.dpToken.enableIssuer",
    variables: ["DP_SERVER_AUTHN_DP_PROXY_DP_TOKEN_ENABLE_ISSUER"],
    description: "Whether this control plane has keys for dataplane tokens and issues them",
    default: true,
  }),
  dpTokenSecrets: toggle({
    path: "dpServer.authn.dpProxy.dpToken.validator.useSecrets",
    variables: ["DP_SERVER_AUTHN_DP_PROXY_DP_TOKEN_VALIDATOR_USE_SECRETS"],
    description: "Whether dataplane tokens signed with the keys in the store are accepted",
    default: true,
  }),
  dpTokenPublicKeys: structure(dataplaneKeys, {
    path: "dpServer.authn.dpProxy.dpToken.validator.publicKeys",
    variables: ["DP_SERVER_AUTHN_DP_PROXY_DP_TOKEN_VALIDATOR_PUBLIC_KEYS"],
    description: "Public keys of dataplane tokens signed elsewhere: a list of {kid, mesh, key or keyFile}",
    default: [],
  }),
  auditBackends: structure(backends, {
    path: "kmesh.access.audit.backends",
    variables: ["ACCESS_AUDIT_BACKENDS"],
    description: "Where the audit log goes: a list of {type: file, file}, {type: tcp, tcp}, {type: otlp, otlp}",
    default: [],
  }),
  auditQueueSize: whole(
    { min: 1, max: MAX },
    {
      path: "kmesh.access.audit.queueSize",
      variables: ["ACCESS_AUDIT_QUEUE_SIZE"],
      description: "Records that wait for a slow backend at most; what comes on top is lost, counted and told",
      default: 10_000,
    },
  ),
  auditMaxWait: millis({
    path: "kmesh.access.audit.maxWait",
    variables: ["ACCESS_AUDIT_MAX_WAIT"],
    description: "How long an answer waits at most until its record is kept",
    default: 1 * SECOND,
  }),
} satisfies Record<
  string,
  | Setting<"static" | "rbac">
  | Setting<string>
  | Setting<number>
  | Setting<boolean>
  | Setting<readonly string[]>
  | Setting<readonly PublicKey[]>
  | Setting<readonly AuditBackend[]>
>;
