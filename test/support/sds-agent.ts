import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { any } from "@heddle/envoy/any.ts";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import { type Secret, SecretSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { SPIFFECertValidatorConfigSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb.js";
import { createCa } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { FrameReader, grpcPrefix } from "@heddle/xds/grpc-frame.ts";
import type { Ending } from "./lab.ts";

const STREAM = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
const INVALID_ARGUMENT = "3";
const UNIMPLEMENTED = "12";

/** Who gives proxies their certificates at a unix socket. */
export interface Agent {
  readonly socket: string;
  /** Workloads behind the socket may have this SPIFFE ID. */
  readonly grant: (id: string) => Promise<void>;
}

/** One that a test can take away, and bring back. */
export interface SdsAgent extends Agent {
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** From now on it gives out the authorities of another trust domain as well. */
  readonly federate: (domain: string, pem: string) => void;
  /** A certificate of its own authority. */
  readonly issue: (...uris: readonly string[]) => Promise<{ readonly certificatePem: string; readonly keyPem: string }>;
  /** Gives everybody another certificate. */
  readonly renew: () => Promise<void>;
  /** How many certificates were given out. */
  readonly issued: () => number;
}

interface Client {
  readonly stream: ServerHttp2Stream;
  names: readonly string[];
}

/**
 * Serves secrets as SPIRE's agent does (spire, pkg/agent/endpoints/sdsv3/handler.go): the state of the world only,
 * certificates under their SPIFFE ID, bundles under their trust domain's, all of them under "ALL", and an error for a
 * name that the workload may not have.
 */
export async function startSdsAgent(t: Ending, socket: string, domain: string): Promise<SdsAgent> {
  const secrets = await secretsOf(domain);
  const clients = new Set<Client>();
  const listening = listenAt(socket, (stream) => serve(stream, clients, secrets.of));
  await listening.start();
  t.after(listening.stop);
  return {
    socket,
    grant: async (id) => void (await Promise.resolve(secrets.granted.add(id))),
    ...listening,
    renew: async () => void (await Promise.all([...clients].map((client) => answer(client, secrets.of)))),
    federate: (other, pem) => void secrets.federated.set(other, pem),
    issue: secrets.issue,
    issued: secrets.issued,
  };
}

type SecretOf = (name: string) => Promise<Secret | undefined>;

async function secretsOf(domain: string) {
  const { caPem, issue } = await authorityOf(domain);
  const federated = new Map([[domain, caPem]]);
  const granted = new Set<string>();
  let given = 0;
  const of: SecretOf = async (name) => {
    if (name === "ALL") return bundles(name, federated);
    const one = new Map([...federated].filter(([each]) => name === `spiffe://${each}`));
    if (one.size > 0) return bundles(name, one);
    if (!granted.has(name)) return undefined;
    given += 1;
    return certificate(name, await issue(name));
  };
  return { granted, federated, issue, of, issued: () => given };
}

function listenAt(socket: string, onStream: (stream: ServerHttp2Stream) => void) {
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server;
  const start = async (): Promise<void> => {
    await rm(socket, { force: true });
    server = createServer();
    server.on("session", (session) => {
      sessions.add(session);
      session.on("close", () => sessions.delete(session)).on("error", () => undefined);
    });
    server.on("stream", (stream: ServerHttp2Stream, { ":path": path }) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      if (path === STREAM) onStream(stream);
      else refuse(stream, UNIMPLEMENTED);
    });
    await once(server.listen(socket), "listening");
  };
  const stop = async (): Promise<void> => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { start, stop };
}

function serve(stream: ServerHttp2Stream, clients: Set<Client>, secretOf: SecretOf): void {
  const client: Client = { stream, names: [] };
  clients.add(client);
  const frames = new FrameReader(1 << 20);
  stream.on("data", (chunk: Uint8Array) => {
    for (const message of frames.read(chunk)) {
      const request: DiscoveryRequest = fromBinary(DiscoveryRequestSchema, message);
      // An acknowledgement asks for what it has already.
      if (request.resourceNames.join() === client.names.join()) continue;
      client.names = request.resourceNames;
      void answer(client, secretOf);
    }
  });
  stream.on("close", () => clients.delete(client));
}

async function answer({ stream, names }: Client, secretOf: SecretOf): Promise<void> {
  const secrets = await Promise.all(names.map(secretOf));
  if (stream.destroyed || names.length === 0) return;
  if (secrets.includes(undefined)) return refuse(stream, INVALID_ARGUMENT);
  const response = create(DiscoveryResponseSchema, {
    versionInfo: randomBytes(4).toString("hex"),
    nonce: randomBytes(4).toString("hex"),
    typeUrl: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    resources: secrets.flatMap((secret) => (secret === undefined ? [] : [anyPack(SecretSchema, secret)])),
  });
  const bytes = toBinary(DiscoveryResponseSchema, response);
  stream.write(Buffer.concat([grpcPrefix(bytes.length), bytes]));
}

function refuse(stream: ServerHttp2Stream, status: string): void {
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
  stream.end();
}

async function authorityOf(domain: string) {
  const now = new Date();
  const made = await createCa({
    keyType: "ecdsa-p256",
    validitySeconds: 86_400,
    now,
    commonName: domain,
    uri: `spiffe://${domain}`,
  });
  const loaded = loadCa(made, now);
  if (!loaded.ok) throw new Error(`Cannot load the authority of ${domain}: ${JSON.stringify(loaded.violations)}`);
  return {
    caPem: made.certificatePem,
    issue: (...uris: readonly string[]) =>
      issueCertificate(loaded.value, { uris, validitySeconds: 3_600, usages: ["server", "client"], now: new Date() }),
  };
}

function certificate(name: string, { certificatePem, keyPem }: { certificatePem: string; keyPem: string }): Secret {
  return create(SecretSchema, {
    name,
    type: { case: "tlsCertificate", value: { certificateChain: inline(certificatePem), privateKey: inline(keyPem) } },
  });
}

function bundles(name: string, authorities: ReadonlyMap<string, string>): Secret {
  const trustDomains = [...authorities].map(([domain, pem]) => ({ name: domain, trustBundle: inline(pem) }));
  const typedConfig = any(SPIFFECertValidatorConfigSchema, { trustDomains });
  const customValidatorConfig = { name: "envoy.tls.cert_validator.spiffe", typedConfig };
  return create(SecretSchema, { name, type: { case: "validationContext", value: { customValidatorConfig } } });
}

function inline(text: string) {
  return { specifier: { case: "inlineBytes" as const, value: Buffer.from(text) } };
}
