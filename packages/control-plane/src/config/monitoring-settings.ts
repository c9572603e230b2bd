import { millis, port, text, toggle } from "./setting.ts";

/** How Prometheus is told which proxies to ask; paths and variables are Kuma's. */
export const MONITORING_SETTINGS = {
  madsEnabled: toggle({
    path: "monitoringAssignmentServer.enabled",
    variables: ["MONITORING_ASSIGNMENT_SERVER_ENABLED"],
    description: "Whether Prometheus is told here which proxies to ask (its kuma_sd_configs)",
    default: true,
  }),
  madsAddress: text({
    path: "monitoringAssignmentServer.interface",
    flag: "--mads-address",
    variables: ["MONITORING_ASSIGNMENT_SERVER_INTERFACE"],
    description: "Address at which Prometheus is told; everybody who reaches it sees where proxies are",
    default: "127.0.0.1",
  }),
  madsPort: port({
    path: "monitoringAssignmentServer.port",
    flag: "--mads-port",
    variables: ["MONITORING_ASSIGNMENT_SERVER_PORT"],
    description: "Port at which Prometheus is told",
    default: 5676,
  }),
  madsTlsEnabled: toggle({
    path: "monitoringAssignmentServer.tlsEnabled",
    variables: ["MONITORING_ASSIGNMENT_SERVER_TLS_ENABLED"],
    description: "Whether Prometheus is told over HTTPS",
    default: false,
  }),
  madsFetchTimeout: millis({
    path: "monitoringAssignmentServer.defaultFetchTimeout",
    variables: ["MONITORING_ASSIGNMENT_SERVER_DEFAULT_FETCH_TIMEOUT"],
    description: "How long Prometheus waits for news when it does not say",
    default: 30_000,
  }),
} as const;
