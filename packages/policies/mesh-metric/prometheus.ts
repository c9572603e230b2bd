import { socketAddress } from "@heddle/engine/emit/common.ts";
import { systemName } from "@heddle/engine/emit/system-cluster.ts";
import { downstreamTls } from "@heddle/engine/emit/tls.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import { any } from "@heddle/envoy/any.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { DownstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type Gathering, ourLabels } from "./gathering.ts";
import type { PrometheusConf } from "./schema.ts";
import { script } from "./script.ts";
import { scriptListener } from "./script-listener.ts";

/** Where Prometheus finds proxies unless a policy says otherwise. */
export const PROMETHEUS_PORT = 5_670;
export const PROMETHEUS_PATH = "/metrics";
const DEFAULT_CLIENT = "default-backend";

/** The port that Prometheus asks; none while what is to secure it is not there. */
export function prometheusListener(
  conf: PrometheusConf,
  proxy: ProxyFacts,
  gathering: Gathering,
): readonly EncodedResource[] {
  const secured = transportSocket(conf.tls?.mode ?? "Disabled", proxy);
  if (secured === "missing") return [];
  const name = systemName("meshmetric_prometheus", conf.clientId ?? DEFAULT_CLIENT);
  // Prometheus has no dots in names of labels.
  const labels = ourLabels(proxy).map(([key, value]) => [key.replaceAll(".", "_"), value] as const);
  const text = script("prometheus", {
    ...gathering.conf,
    path: conf.path ?? PROMETHEUS_PATH,
    labels: Object.fromEntries(labels.map(([key]) => [key, true])),
    labelText: labels.map(([key, value]) => `${key}="${escaped(value)}"`).join(","),
  });
  const { address } = proxy.resource.spec.networking;
  const place = { address: socketAddress(address, conf.port ?? PROMETHEUS_PORT), script: text };
  return [scriptListener(name, { ...place, transportSocket: secured === "plain" ? undefined : secured })];
}

type Secured = "plain" | "missing" | ReturnType<typeof downstreamTls>;

// Who asked for a secured port does not get an open one because something is not there yet.
function transportSocket(mode: NonNullable<PrometheusConf["tls"]>["mode"], { tls, node }: ProxyFacts): Secured {
  switch (mode) {
    case undefined:
    case "Disabled":
      return "plain";
    case "ActiveMTLSBackend":
      return tls === undefined ? "missing" : downstreamTls(tls, {});
    case "ProvidedTLS":
      return node.metricsTls === undefined ? "missing" : fromFiles(node.metricsTls);
  }
}

function fromFiles({ certPath, keyPath }: { readonly certPath: string; readonly keyPath: string }): Secured {
  const file = (path: string) => ({ specifier: { case: "filename", value: path } }) as const;
  const certificate = { certificateChain: file(certPath), privateKey: file(keyPath) };
  const config = any(DownstreamTlsContextSchema, { commonTlsContext: { tlsCertificates: [certificate] } });
  return { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value: config } };
}

// https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
