import { isIP } from "node:net";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { Place } from "@heddle/api/resources/owned-labels.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { tagSets } from "@heddle/model/kinds/dataplane.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { XdsRefusal } from "@heddle/xds/hooks.ts";
import { type BootstrapRequest, parseBootstrapRequest } from "../bootstrap/bootstrap-request.ts";
import { bootstrapYaml, envoyBootstrap } from "../bootstrap/envoy-bootstrap.ts";
import type { Meshes } from "../mesh/meshes.ts";
import { parseDataplane } from "../proxies/register.ts";
import { noMesh, sentence, type Sessions } from "../proxies/sessions.ts";

export interface BootstrapExchangeOptions {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly place: Place;
  readonly meshes: Meshes;
  readonly sessions: Sessions;
  /** What proxies trust as the control plane's certificate when they bring nothing themselves. */
  readonly caPem: () => string;
  readonly healthDiscovery: boolean;
}

/** An answer to a launcher: a status, and text for people or the bootstrap. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Answers `POST /bootstrap`, Kuma's exchange: a launcher says who its proxy is, and gets what Envoy starts with.
 * `host` is the Host header: the proxy will reach the control plane under the name its launcher used.
 */
export async function exchangeBootstrap(
  options: BootstrapExchangeOptions,
  body: unknown,
  { host, wantsJson, localPort }: { readonly host: string; readonly wantsJson: boolean; readonly localPort: number },
): Promise<Answer> {
  const zoneProxy = zoneProxyIn(body);
  if (zoneProxy !== undefined) return refuse(422, `zone ${zoneProxy} proxies are not served by this control plane`);
  const request = parseBootstrapRequest(body);
  if (!request.ok) return refuse(400, sentence(request.violations));
  const { mesh } = request.value;
  if (options.meshes.get(mesh) === undefined) return refuse(422, noMesh(mesh));
  const proxy = await dataplaneFor(options, request.value);
  // Without a body: kuma-dp takes a 404 with words for final, and one without for a proxy that may yet be created.
  if (proxy === undefined) return { status: 404, contentType: "text/plain; charset=utf-8", body: "" };
  if ("body" in proxy) return proxy;
  try {
    await options.sessions.check(proxy, request.value.dataplaneToken);
  } catch (error) {
    if (error instanceof XdsRefusal) return refuse(422, error.message);
    throw error;
  }
  const bootstrap = bootstrapYaml(
    envoyBootstrap(withJson(request.value, proxy), {
      ...authority(host, localPort),
      caPem: request.value.caCert ?? options.caPem(),
      healthDiscovery: options.healthDiscovery && mayProbe(request.value, proxy),
      workload: workloadOf(proxy),
      ...(proxy.spec.networking.admin?.port === undefined ? {} : { adminPort: proxy.spec.networking.admin.port }),
    }),
  );
  if (!wantsJson) return { status: 200, contentType: "text/yaml", body: bootstrap };
  return { status: 200, contentType: "application/json", body: JSON.stringify(sidecar(bootstrap, proxy)) };
}

/** A zone proxy of Kuma 2.x belongs to no mesh, so its request would be refused for a field that it cannot fill. */
function zoneProxyIn(body: unknown): "ingress" | "egress" | undefined {
  const { proxyType } = (body ?? {}) as { readonly proxyType?: unknown };
  return proxyType === "ingress" || proxyType === "egress" ? proxyType : undefined;
}

async function dataplaneFor(
  { store, kinds, place }: BootstrapExchangeOptions,
  { mesh, name, dataplaneResource }: BootstrapRequest,
): Promise<NewResource<DataplaneSpec> | Answer | undefined> {
  if (dataplaneResource !== undefined) {
    const parsed = parseDataplane(kinds, dataplaneResource, { mesh, name }, place);
    return parsed.ok ? parsed.value : refuse(422, `the Dataplane is not valid: ${sentence(parsed.violations)}`);
  }
  const stored = await store.get({ type: "Dataplane", mesh, name });
  return stored as NewResource<DataplaneSpec> | undefined;
}

/** Envoy's node metadata carries the Dataplane as JSON, whatever the launcher read it from. */
function withJson(
  request: BootstrapRequest,
  { type, mesh, name, labels, spec }: NewResource<DataplaneSpec>,
): BootstrapRequest {
  if (request.dataplaneResource === undefined) return request;
  return { ...request, dataplaneResource: JSON.stringify({ type, mesh, name, labels, ...spec }) };
}

function sidecar(bootstrap: string, proxy: NewResource<DataplaneSpec>): object {
  return {
    bootstrap: Buffer.from(bootstrap).toString("base64"),
    kumaSidecarConfiguration: {
      networking: { address: proxy.spec.networking.address },
      metrics: { aggregate: [] },
    },
  };
}

/**
 * Whether the proxy may ever have to look at its application. One that brought its Dataplane without probes needs no
 * second stream, nor its warnings while the control plane is away; a stored Dataplane may get probes later.
 */
function mayProbe({ dataplaneResource }: BootstrapRequest, { spec }: NewResource<DataplaneSpec>): boolean {
  const inbounds = spec.networking.inbound ?? [];
  return dataplaneResource === undefined || inbounds.some(({ serviceProbe }) => serviceProbe !== undefined);
}

function workloadOf({ spec, labels }: NewResource<DataplaneSpec>): string {
  const service = tagSets(spec)[0]?.[LABEL.service];
  return labels[LABEL.workload] ?? service ?? "unknown";
}

function authority(host: string, localPort: number): { xdsHost: string; xdsPort: number } {
  // A host that is none is text of a stranger; the proxy then looks where the launcher, which came this far, most likely did.
  const written = `https://${host}/`;
  const url = new URL(host !== "" && URL.canParse(written) ? written : "https://localhost/");
  const name = url.hostname.replace(/^\[|\]$/g, "");
  return {
    xdsHost: isIP(name) === 0 ? name.toLowerCase() : name,
    xdsPort: url.port === "" ? localPort : Number(url.port),
  };
}

function refuse(status: number, text: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}
