import { hostname } from "node:os";
import { ACCESS_SETTINGS, type AuditBackend, type PublicKey } from "./access-settings.ts";
import { ENCRYPTION_SETTINGS, type TransitSetting } from "./encryption-settings.ts";
import { MONITORING_SETTINGS } from "./monitoring-settings.ts";
import { choice, millis, port, type Setting, text, texts, toggle, whole } from "./setting.ts";
import { TLS_SETTINGS, type TlsVersionName } from "./tls-settings.ts";

const SECOND = 1_000;

/**
 * Everything `heddle cp run` can be told: one table for the file, the environment and the flags. Paths and variables
 * are Kuma's where Kuma has the setting (https://kuma.io/docs/latest/reference/kuma-cp/).
 */
export const SETTINGS = {
  ...ACCESS_SETTINGS,
  mode: choice(["zone", "global"], {
    path: "mode",
    flag: "--mode",
    variables: ["MODE"],
    description: "Whether this control plane serves proxies (zone) or other control planes (global)",
    default: "zone",
  }),
  zone: text({
    path: "multizone.zone.name",
    flag: "--zone",
    variables: ["MULTIZONE_ZONE_NAME"],
    description: "Name of the zone",
    default: "default",
  }),
  storeType: choice(["sqlite", "memory"], {
    path: "store.type",
    flag: "--store",
    variables: ["STORE_TYPE"],
    description: "Where resources are kept: sqlite (a file in the data folder) or memory (gone at the end)",
    default: "sqlite",
  }),
  dataFolder: text({
    path: "general.workDir",
    flag: "--data",
    variables: ["GENERAL_WORK_DIR", "DATA"],
    description: "Folder for the store and the certificates",
    default: ".heddle",
  }),
  ...ENCRYPTION_SETTINGS,
  unsafeDelete: toggle({
    path: "store.unsafeDelete",
    variables: ["STORE_UNSAFE_DELETE"],
    description: "Let a mesh be deleted while proxies are in it",
    default: false,
  }),
  ...TLS_SETTINGS,
  hosts: texts({
    path: "general.hosts",
    flag: "--hosts",
    variables: ["GENERAL_HOSTS"],
    description: "Host names and addresses for the certificate that is made, beside this machine's own",
    default: [],
  }),
  apiHttpAddress: text({
    path: "apiServer.http.interface",
    flag: "--api-http-address",
    variables: ["API_SERVER_HTTP_INTERFACE"],
    description: "Address of the REST API",
    default: "127.0.0.1",
  }),
  apiHttpPort: port({
    path: "apiServer.http.port",
    flag: "--api-http-port",
    variables: ["API_SERVER_HTTP_PORT"],
    description: "Port of the REST API",
    default: 5681,
  }),
  apiHttpsEnabled: toggle({
    path: "apiServer.https.enabled",
    variables: ["API_SERVER_HTTPS_ENABLED"],
    description: "Whether the REST API is served over HTTPS too",
    default: true,
  }),
  apiHttpsAddress: text({
    path: "apiServer.https.interface",
    flag: "--api-https-address",
    variables: ["API_SERVER_HTTPS_INTERFACE"],
    description: "Address of the REST API over HTTPS",
    default: "0.0.0.0",
  }),
  apiHttpsPort: port({
    path: "apiServer.https.port",
    flag: "--api-https-port",
    variables: ["API_SERVER_HTTPS_PORT"],
    description: "Port of the REST API over HTTPS",
    default: 5682,
  }),
  apiReadOnly: toggle({
    path: "apiServer.readOnly",
    variables: ["API_SERVER_READ_ONLY"],
    description: "Refuse every write over the REST API",
    default: false,
  }),
  apiBasePath: text({
    path: "apiServer.basePath",
    variables: ["API_SERVER_BASE_PATH"],
    description: "Path under which the REST API hangs",
    default: "/",
  }),
  dpAddress: text({
    path: "dpServer.interface",
    flag: "--dp-address",
    variables: ["DP_SERVER_INTERFACE"],
    description: "Address of the data plane server: bootstrap, configuration, health",
    default: "0.0.0.0",
  }),
  dpPort: port({
    path: "dpServer.port",
    flag: "--dp-port",
    variables: ["DP_SERVER_PORT"],
    description: "Port of the data plane server",
    default: 5678,
  }),
  dpAuthentication: choice(["dpToken", "none"], {
    path: "dpServer.authn.dpProxy.type",
    variables: ["DP_SERVER_AUTHN_DP_PROXY_TYPE", "DP_SERVER_AUTH_TYPE"],
    description: "How proxies prove who they are; none is for trials on one machine only",
    default: "dpToken",
  }),
  healthDiscovery: toggle({
    path: "dpServer.hds.enabled",
    variables: ["DP_SERVER_HDS_ENABLED"],
    description: "Have proxies report whether their application answers",
    default: true,
  }),
  healthInterval: millis({
    path: "dpServer.hds.interval",
    variables: ["DP_SERVER_HDS_INTERVAL"],
    description: "Time between two looks of a proxy at its application",
    default: 1 * SECOND,
  }),
  deregistrationDelay: millis({
    path: "xdsServer.dataplaneDeregistrationDelay",
    variables: ["XDS_SERVER_DATAPLANE_DEREGISTRATION_DELAY", "XDS_DATAPLANE_DEREGISTRATION_DELAY"],
    description: "How long a proxy that vanished without a goodbye may take to come back",
    default: 10 * SECOND,
  }),
  statusFlushInterval: millis({
    path: "xdsServer.dataplaneStatusFlushInterval",
    variables: ["XDS_SERVER_DATAPLANE_STATUS_FLUSH_INTERVAL"],
    description: "How often the state of proxies is written to the store at most",
    default: 1 * SECOND,
  }),
  availabilityTarget: millis({
    path: "certificates.availabilityTarget",
    variables: ["CERTIFICATES_AVAILABILITY_TARGET"],
    description:
      "How long the control plane, or who signs, may be away without a certificate ending: they are renewed that much earlier. A third of their life at least, three quarters at most",
    default: 0,
  }),
  dnsRefreshInterval: millis({
    path: "general.dnsCacheTTL",
    variables: ["GENERAL_DNS_CACHE_TTL"],
    description: "How often the host names of Dataplanes are resolved again",
    default: 10 * SECOND,
  }),
  diagnosticsAddress: text({
    path: "diagnostics.serverInterface",
    flag: "--diagnostics-address",
    variables: ["DIAGNOSTICS_SERVER_INTERFACE"],
    description: "Address of health, readiness and metrics",
    default: "127.0.0.1",
  }),
  diagnosticsPort: port({
    path: "diagnostics.serverPort",
    flag: "--diagnostics-port",
    variables: ["DIAGNOSTICS_SERVER_PORT"],
    description: "Port of health, readiness and metrics",
    default: 5680,
  }),
  diagnosticsTlsEnabled: toggle({
    path: "diagnostics.tlsEnabled",
    variables: ["DIAGNOSTICS_TLS_ENABLED"],
    description: "Whether health, readiness and metrics are served over HTTPS",
    default: false,
  }),
  ...MONITORING_SETTINGS,
  rateLimitEnabled: toggle({
    path: "rateLimit.enabled",
    variables: ["RATE_LIMIT_ENABLED"],
    description: "Whether this control plane counts requests for MeshGlobalRateLimit",
    default: true,
  }),
  rateLimitAddress: text({
    path: "rateLimit.interface",
    flag: "--rate-limit-address",
    variables: ["RATE_LIMIT_INTERFACE"],
    description: "Address at which proxies have their requests counted",
    default: "0.0.0.0",
  }),
  rateLimitPort: port({
    path: "rateLimit.port",
    flag: "--rate-limit-port",
    variables: ["RATE_LIMIT_PORT"],
    description: "Port at which proxies have their requests counted",
    default: 5684,
  }),
  rateLimitRedisUrl: text({
    path: "rateLimit.redis.url",
    variables: ["RATE_LIMIT_REDIS_URL"],
    description: "Redis or Valkey to count in, such as redis://user:password@host:6379/0; in memory when empty",
    default: "",
    secret: true,
  }),
  skipMeshCreation: toggle({
    path: "defaults.skipMeshCreation",
    variables: ["DEFAULTS_SKIP_MESH_CREATION"],
    description: "Do not make the mesh default at the first start",
    default: false,
  }),
  skipHostnameGenerators: toggle({
    path: "defaults.skipHostnameGenerators",
    variables: ["DEFAULTS_SKIP_HOSTNAME_GENERATORS"],
    description: "Do not make HostnameGenerators at the first start: services get no host names by themselves",
    default: false,
  }),
  compilationMillis: whole(
    { min: 1, max: 1_000 },
    {
      path: "xdsServer.sliceMillis",
      variables: ["XDS_SERVER_SLICE_MILLIS"],
      description: "Milliseconds of work on configurations before other requests get their turn",
      default: 10,
    },
  ),
  logLevel: choice(["debug", "info", "warn", "error", "off"], {
    path: "general.logLevel",
    flag: "--log-level",
    variables: ["LOG_LEVEL"],
    description: "How much is logged",
    default: "info",
  }),
  logFormat: choice(["auto", "text", "json"], {
    path: "general.logFormat",
    flag: "--log-format",
    variables: ["LOG_FORMAT"],
    description: "text for people, json for machines; auto picks by whether a terminal reads",
    default: "auto",
  }),
  instanceName: text({
    path: "general.instanceName",
    variables: ["GENERAL_INSTANCE_NAME"],
    description: "Name of this control plane in insights",
    default: hostname(),
  }),
} satisfies Record<
  string,
  | Setting<never>
  | Setting<string>
  | Setting<TlsVersionName | "">
  | Setting<number>
  | Setting<boolean>
  | Setting<readonly string[]>
  | Setting<readonly PublicKey[]>
  | Setting<readonly AuditBackend[]>
  | Setting<TransitSetting | undefined>
>;

export type Config = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};
