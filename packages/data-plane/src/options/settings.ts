import { choice, count, millis, pairs, type Setting, text, toggle } from "./setting.ts";

const SECOND = 1_000;

/**
 * Everything `heddle dp run` can be told, in the order of its help. Each key is the flag in camel case; names and
 * meanings are kuma-dp's, so that its command lines and environments work here.
 */
export const DATAPLANE_SETTINGS = {
  cpAddress: {
    ...text({
      flag: "--cp-address",
      takes: "<url>",
      env: "CONTROL_PLANE_URL",
      doc: "Where the control plane's data plane server is",
    }),
    fallback: "https://localhost:5678",
  },
  caCertFile: text({
    flag: "--ca-cert-file",
    takes: "<path>",
    env: "CONTROL_PLANE_CA_CERT_FILE",
    doc: "PEM of the authority to trust as the control plane's, instead of the system's",
  }),
  caCert: text({ env: "CONTROL_PLANE_CA_CERT", doc: "The same as PEM text" }),
  skipVerify: toggle({
    flag: "--skip-verify",
    env: "CONTROL_PLANE_TLS_SKIP_VERIFY",
    doc: "Trust whoever answers at the address. Never outside of a trial: a stranger gets the token",
    fallback: false,
  }),
  dataplaneToken: text({
    flag: "--dataplane-token",
    takes: "<token>",
    env: "DATAPLANE_RUNTIME_TOKEN",
    doc: "Token of this proxy (heddle generate dataplane-token); a file keeps it out of the process list",
    secret: true,
  }),
  dataplaneTokenFile: text({
    flag: "--dataplane-token-file",
    takes: "<path>",
    env: "DATAPLANE_RUNTIME_TOKEN_PATH",
    doc: "File with the token; may be renewed at any time",
  }),
  dataplane: text({
    flag: "--dataplane",
    takes: "<yaml>",
    env: "DATAPLANE_RUNTIME_RESOURCE",
    doc: "The Dataplane as text",
  }),
  dataplaneFile: text({
    flag: "--dataplane-file",
    short: "-d",
    takes: "<path>",
    env: "DATAPLANE_RUNTIME_RESOURCE_PATH",
    doc: "File with the Dataplane; - reads standard input",
  }),
  dataplaneVar: pairs({
    flag: "--dataplane-var",
    short: "-v",
    takes: "<name=value>",
    env: "DATAPLANE_RUNTIME_RESOURCE_VARS",
    doc: "Value for {{ name }} in the Dataplane",
  }),
  name: text({
    flag: "--name",
    takes: "<name>",
    env: "DATAPLANE_NAME",
    doc: "Name of a Dataplane that the control plane has already; not with --dataplane-file",
  }),
  mesh: text({
    flag: "--mesh",
    short: "-m",
    takes: "<mesh>",
    env: "DATAPLANE_MESH",
    doc: "Its mesh; not with --dataplane-file",
    defaultText: "default",
  }),
  proxyType: choice(["dataplane", "ingress", "egress"], {
    flag: "--proxy-type",
    takes: "<type>",
    env: "DATAPLANE_PROXY_TYPE",
    doc: "What the proxy is: dataplane, or ingress and egress of Kuma 2.x",
    fallback: "dataplane",
  }),
  drainTime: millis({
    flag: "--drain-time",
    takes: "<duration>",
    env: "DATAPLANE_DRAIN_TIME",
    doc: "How long running requests may take to end after a stop was asked for",
    fallback: 30 * SECOND,
    defaultText: "30s",
  }),
  binaryPath: text({
    flag: "--binary-path",
    takes: "<path>",
    env: "DATAPLANE_RUNTIME_BINARY_PATH",
    doc: "Envoy to run",
    defaultText: "HEDDLE_ENVOY, else one on PATH, else the fetched one",
  }),
  concurrency: {
    // One worker serves what most services need. Envoy's own default, one for each core, costs memory on large machines.
    ...count(
      { min: 0, max: 1_024 },
      {
        flag: "--concurrency",
        takes: "<threads>",
        env: "DATAPLANE_RUNTIME_CONCURRENCY",
        doc: "Envoy's worker threads; 0 is one for each core",
      },
    ),
    fallback: 2,
  },
  workDir: text({
    flag: "--work-dir",
    takes: "<path>",
    env: "DATAPLANE_RUNTIME_WORK_DIR",
    doc: "Folder for sockets and the bootstrap",
    defaultText: "a temporary one, removed at the end",
  }),
  adminPort: count(
    { min: 1, max: 65_535 },
    {
      flag: "--admin-port",
      takes: "<port>",
      env: "DATAPLANE_ADMIN_PORT",
      doc: "Envoy's admin interface on 127.0.0.1 at this port, instead of a unix socket in the work directory",
    },
  ),
  inspectPort: count(
    { min: 0, max: 65_535 },
    {
      flag: "--inspect-port",
      takes: "<port>",
      env: "DATAPLANE_INSPECT_PORT",
      doc: "Port on the Dataplane's address at which control planes, and nobody else, may look into Envoy; 0 is none",
      defaultText: "a free one",
    },
  ),
  envoyLogLevel: choice(["trace", "debug", "info", "warning", "error", "critical", "off"], {
    flag: "--envoy-log-level",
    takes: "<level>",
    env: "DATAPLANE_RUNTIME_ENVOY_LOG_LEVEL",
    doc: "How much Envoy says",
    fallback: "warning",
  }),
  envoyComponentLogLevel: text({
    flag: "--envoy-component-log-level",
    takes: "<list>",
    env: "DATAPLANE_RUNTIME_ENVOY_COMPONENT_LOG_LEVEL",
    doc: "The same for parts of Envoy: upstream:debug,config:trace",
  }),
  logFormat: choice(["text", "json"], {
    flag: "--log-format",
    takes: "<format>",
    env: "LOG_FORMAT",
    doc: "Log lines, Envoy's too, as text or as JSON",
    fallback: "text",
  }),
  bindOutbounds: toggle({
    flag: "--bind-outbounds",
    env: "DATAPLANE_RUNTIME_BIND_OUTBOUNDS",
    doc: "Listen on the addresses of outbounds, without redirecting the application's connections",
    fallback: false,
  }),
  maxMemoryBytes: count(
    { min: 0, max: Number.MAX_SAFE_INTEGER },
    {
      env: "DATAPLANE_RESOURCES_MAX_MEMORY_BYTES",
      doc: "Heap size near which Envoy sheds load instead of being killed",
    },
  ),
  dynamicMetadata: pairs({
    env: "DATAPLANE_RUNTIME_DYNAMIC_METADATA",
    doc: "name:value pairs that the proxy reports, such as HOST_IP",
  }),
  ipv6Enabled: toggle({ env: "DATAPLANE_RUNTIME_IPV6_ENABLED", doc: "Whether the proxy may use IPv6", fallback: true }),
  systemCaPath: text({
    env: "DATAPLANE_RUNTIME_DYNAMIC_SYSTEM_CA_PATH",
    doc: "The machine's bundle of public authorities",
  }),
  spireSocket: text({
    flag: "--spire-socket",
    takes: "<path>",
    env: "DATAPLANE_RUNTIME_SPIRE_SOCKET_PATH",
    doc: "Unix socket of the SPIRE agent, for proxies whose MeshIdentity is of provider Spire",
    defaultText: "/run/spire/agent-sockets/spire-agent.sock",
  }),
  metricsCertPath: text({
    env: "DATAPLANE_RUNTIME_METRICS_CERT_PATH",
    doc: "Certificate of the port for Prometheus, where a MeshMetric says ProvidedTLS",
  }),
  metricsKeyPath: text({ env: "DATAPLANE_RUNTIME_METRICS_KEY_PATH", doc: "Its key" }),
  retryBackoff: millis({
    env: "CONTROL_PLANE_RETRY_BACKOFF",
    doc: "Pause between attempts to reach the control plane",
    fallback: 3 * SECOND,
    defaultText: "3s",
  }),
  retryMaxDuration: millis({
    env: "CONTROL_PLANE_RETRY_MAX_DURATION",
    doc: "When to give up reaching the control plane",
    fallback: 300 * SECOND,
    defaultText: "5m",
  }),
  tokenCheckInterval: millis({
    env: "DATAPLANE_TOKEN_CHECK_INTERVAL",
    doc: "How often to look whether the token file was renewed",
    fallback: 30 * SECOND,
    defaultText: "30s",
  }),
  supervisor: choice(["auto", "shell", "node"], {
    env: "DATAPLANE_SUPERVISOR",
    doc: "Who watches Envoy: a shell (1.6 MB), or this process where there is none (50 MB)",
    fallback: "auto",
  }),
  dryRun: toggle({
    flag: "--dry-run",
    doc: "Print the bootstrap that Envoy would get, without the token, and end",
    fallback: false,
  }),
} as const satisfies Readonly<Record<string, Setting<never> | Setting<unknown>>>;

type Settings = typeof DATAPLANE_SETTINGS;
export type SettingName = keyof Settings;

/** The value of every setting: what the user wrote, or the default. */
export type DataplaneOptions = {
  readonly [Name in SettingName]: Settings[Name] extends {
    readonly fallback: infer Fallback;
    readonly parse: Setting<infer Value>["parse"];
  }
    ? Fallback extends undefined
      ? Value
      : Exclude<Value, undefined>
    : never;
};
