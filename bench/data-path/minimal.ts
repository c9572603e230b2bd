import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";

/** The least that two Envoys need to speak mutual TLS: what anything more is measured against. */

/** What is spoken between the two. */
export type Between = "http1" | "http2";

/** A certificate, its key, and who is trusted; PEM. Keys are of P-256, as in the mesh. */
export interface Identity {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

/** Two identities of one authority, good for an hour: `spiffe://<mesh>/<name>`. */
export async function identities(
  mesh: string,
  [client, server]: readonly [string, string],
): Promise<readonly [Identity, Identity]> {
  const now = new Date();
  const pair = await createCa(meshCaRequest(mesh, "ecdsa-p256", now));
  const ca = loadCa(pair, now);
  if (!ca.ok) throw new Error(`Cannot make an authority: ${JSON.stringify(ca.violations)}`);
  const issue = async (name: string): Promise<Identity> => {
    const uris = [`spiffe://${mesh}/${name}`];
    const issued = await issueCertificate(ca.value, {
      uris,
      validitySeconds: 3_600,
      usages: ["server", "client"],
      now,
    });
    return { ...issued, caPem: pair.certificatePem };
  };
  return [await issue(client), await issue(server)];
}

/** An application that costs next to nothing: an Envoy that answers by itself, with a body of so many bytes. */
export function applicationConfig(port: number, bytes: number): object {
  const answer = { status: 200, body: { inlineString: "x".repeat(bytes) } };
  return bootstrap([listener(port, { match: { prefix: "/" }, directResponse: answer })], []);
}

/** The caller's side: plain HTTP in, mutual TLS out. */
export function clientConfig(
  port: number,
  to: { readonly port: number; readonly between: Between },
  own: Identity,
): object {
  const tls = typed(`${TLS}.UpstreamTlsContext`, { sni: "server", commonTlsContext: commonTls(own, "server") });
  const socket = { name: "envoy.transport_sockets.tls", typedConfig: tls };
  return bootstrap(
    [listener(port, { match: { prefix: "/" }, route: { cluster: "server" } })],
    [{ ...cluster("server", to.port, to.between), transportSocket: socket }],
  );
}

/** The server's side: mutual TLS in, plain HTTP/1.1 to the application. */
export function serverConfig(port: number, applicationPort: number, own: Identity): object {
  const context = { requireClientCertificate: true, commonTlsContext: commonTls(own, "client") };
  const tls = typed(`${TLS}.DownstreamTlsContext`, context);
  const socket = { name: "envoy.transport_sockets.tls", typedConfig: tls };
  return bootstrap(
    [listener(port, { match: { prefix: "/" }, route: { cluster: "application" } }, socket)],
    [cluster("application", applicationPort, "http1")],
  );
}

const TLS = "envoy.extensions.transport_sockets.tls.v3";
const MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

function bootstrap(listeners: readonly object[], clusters: readonly object[]): object {
  return { staticResources: { listeners, clusters } };
}

function listener(port: number, route: object, transportSocket?: object): object {
  const manager = typed(MANAGER, {
    statPrefix: "bench",
    routeConfig: { virtualHosts: [{ name: "all", domains: ["*"], routes: [route] }] },
    httpFilters: [
      {
        name: "envoy.filters.http.router",
        typedConfig: typed("envoy.extensions.filters.http.router.v3.Router", {}),
      },
    ],
  });
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typedConfig: manager }];
  return {
    name: `port-${port}`,
    address: address(port),
    filterChains: [{ filters, ...(transportSocket === undefined ? {} : { transportSocket }) }],
  };
}

function cluster(name: string, port: number, protocol: Between): object {
  const explicit = protocol === "http2" ? { http2ProtocolOptions: {} } : { httpProtocolOptions: {} };
  return {
    name,
    type: "STATIC",
    typedExtensionProtocolOptions: { [HTTP_OPTIONS]: typed(HTTP_OPTIONS, { explicitHttpConfig: explicit }) },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: address(port) } }] }],
    },
  };
}

function commonTls(own: Identity, peer: string): object {
  const text = (inlineString: string): object => ({ inlineString });
  return {
    tlsParams: { tlsMinimumProtocolVersion: "TLSv1_3", tlsMaximumProtocolVersion: "TLSv1_3" },
    tlsCertificates: [{ certificateChain: text(own.certificatePem), privateKey: text(own.keyPem) }],
    validationContext: {
      trustedCa: text(own.caPem),
      matchTypedSubjectAltNames: [{ sanType: "URI", matcher: { exact: `spiffe://bench/${peer}` } }],
    },
  };
}

function address(portValue: number): object {
  return { socketAddress: { address: "127.0.0.1", portValue } };
}

function typed(type: string, message: object): object {
  return { "@type": `type.googleapis.com/${type}`, ...message };
}
