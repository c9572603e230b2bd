import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { createSecureContext, type SecureContext } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { ADS_PATH } from "./ads-service.ts";
import { type Follow, FollowedNames } from "./fake-follow.ts";
import {
  decodeResponse,
  encodeNode,
  encodeRequest,
  type ReceivedResource,
  type ReceivedResponse,
} from "./fake-wire.ts";
import { FrameReader } from "./grpc-frame.ts";
import { type GrpcCode, readStatus } from "./grpc-status.ts";
import { TYPE_URL, WILDCARD_TYPES } from "./type-url.ts";

export interface FakeProxyOptions {
  readonly host?: string;
  readonly port: number;
  /** The address to come from; the system chooses when absent. */
  readonly from?: string;
  /** PEM of what signed the server's certificate, which must be valid for "localhost". */
  readonly ca: string;
  readonly node: { readonly id: string; readonly cluster?: string; readonly metadata?: JsonObject };
  readonly token?: string;
  /** What to ask for, in this order, besides what `follow` finds: names, or "*". Default: all clusters and listeners. */
  readonly subscriptions?: Readonly<Record<string, readonly string[] | "*">>;
  /** Asks for what received resources refer to; `followEnvoy` reads them as Envoy does. */
  readonly follow?: Follow;
  /** The text of a refusal, for resources that this proxy does not like. */
  readonly reject?: (resource: ReceivedResource) => string | undefined;
  /** Keeps the content of resources, not just their versions. */
  readonly keepValues?: boolean;
}

export interface HeldResource {
  readonly version: string;
  readonly value: Uint8Array | undefined;
}

/** How the server ended a stream. */
export interface StreamEnd {
  readonly code: GrpcCode;
  readonly message: string;
}

/**
 * A proxy without a data plane: a delta ADS client that holds what it is sent, acknowledges or refuses it, asks for what
 * it refers to, and comes back with the versions it knows. Small enough for thousands in one process.
 */
export class FakeProxy implements AsyncDisposable {
  /** Type URL to name to what is held. Outlives a connection, as in Envoy. */
  readonly held = new Map<string, Map<string, HeldResource>>();
  readonly counts = { responses: 0, resources: 0, removed: 0, acks: 0, nacks: 0, bytes: 0 };
  /** Type URL to the time (performance.now) of its last ACK. */
  readonly lastAckAt = new Map<string, number>();
  /** Called after each response was taken in and answered. */
  onResponse: (response: ReceivedResponse) => void = () => {};
  readonly #options: FakeProxyOptions;
  readonly #node: Uint8Array;
  /** Type URL to the names asked for; "*" for everything. */
  readonly #wanted = new Map<string, Set<string>>();
  /** Types asked for on this connection. */
  readonly #asked = new Set<string>();
  /** Types in the order in which they were first asked for: the order after a reconnect. */
  readonly #order: string[] = [];
  readonly #followed: FollowedNames | undefined;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #ended: Promise<StreamEnd> = new Promise(() => {});

  constructor(options: FakeProxyOptions) {
    this.#options = options;
    this.#node = encodeNode(options.node.id, options.node.cluster ?? "", options.node.metadata ?? {});
    this.#followed = options.follow && new FollowedNames(options.follow);
    const subscriptions = options.subscriptions ?? { [TYPE_URL.cluster]: "*", [TYPE_URL.listener]: "*" };
    for (const [typeUrl, names] of Object.entries(subscriptions)) {
      this.#wanted.set(typeUrl, new Set(names === "*" ? ["*"] : names));
    }
  }

  /** How the present stream ends, or the last one ended. */
  get ended(): Promise<StreamEnd> {
    return this.#ended;
  }

  /** The stream, for tests that misbehave. */
  get stream(): ClientHttp2Stream | undefined {
    return this.#stream;
  }

  /** Connects, or comes back with what it holds. Resolves when accepted; throws with the server's words when refused. */
  async connect(): Promise<void> {
    const { host = "127.0.0.1", port, ca, token, from } = this.#options;
    this.disconnect();
    this.#asked.clear();
    const ended = Promise.withResolvers<StreamEnd>();
    const session = connect(`https://${host}:${port}`, {
      secureContext: trusting(ca),
      servername: "localhost",
      ...(from === undefined ? {} : { localAddress: from }),
    });
    const end = (how: StreamEnd) => {
      ended.resolve(how);
      session.destroy();
    };
    session.on("error", (error) => end({ code: "unavailable", message: error.message }));
    const stream = session.request({ ...REQUEST_HEADERS, ...(token === undefined ? {} : { authorization: token }) });
    this.#ended = ended.promise;
    this.#session = session;
    this.#stream = stream;
    this.#listen(stream, end);
    this.#begin();
    await this.#acceptance(stream, ended.promise);
  }

  /** Cuts the connection, as a crash would; what is held stays. */
  disconnect(): void {
    this.#session?.destroy();
    this.#session = undefined;
    this.#stream = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
  }

  /** Asks for more names of a type. */
  subscribe(typeUrl: string, names: readonly string[]): void {
    this.#change(typeUrl, names, []);
  }

  /** Asks for fewer names of a type, and forgets them. */
  unsubscribe(typeUrl: string, names: readonly string[]): void {
    this.#change(typeUrl, [], names);
  }

  /** Name to version of what is held of a type. */
  versions(typeUrl: string): Record<string, string> {
    return Object.fromEntries([...(this.held.get(typeUrl) ?? [])].map(([name, { version }]) => [name, version]));
  }

  #listen(stream: ClientHttp2Stream, end: (how: StreamEnd) => void): void {
    const reader = new FrameReader(Infinity);
    stream.on("data", (chunk: Uint8Array) => {
      this.counts.bytes += chunk.length;
      for (const message of reader.read(chunk)) this.#take(decodeResponse(message));
    });
    const status = (headers: Readonly<Record<string, unknown>>) => {
      if (headers["grpc-status"] !== undefined) end(readStatus(headers));
    };
    stream.on("response", status);
    stream.on("trailers", status);
    stream.on("error", (error) => end({ code: "unavailable", message: error.message }));
    stream.on("close", () => end({ code: "unavailable", message: "the connection was lost" }));
  }

  #acceptance(stream: ClientHttp2Stream, ended: Promise<StreamEnd>): Promise<void> {
    return new Promise((resolve, reject) => {
      stream.once("response", (headers) => headers["grpc-status"] === undefined && resolve());
      void ended.then(({ code, message }) =>
        reject(new Error(`Cannot connect the fake proxy "${this.#options.node.id}": ${code}: ${message}`)),
      );
    });
  }

  /** A newcomer asks for clusters and, when it has them, for the rest; one that comes back asks for all at once. */
  #begin(): void {
    const isNew = this.held.size === 0 && this.#wanted.has(TYPE_URL.cluster);
    if (isNew) return this.#ask(TYPE_URL.cluster);
    for (const typeUrl of [...this.#order, ...this.#wanted.keys()]) this.#ask(typeUrl);
  }

  #ask(typeUrl: string): void {
    if (this.#asked.has(typeUrl)) return;
    const names = [...(this.#wanted.get(typeUrl) ?? [])];
    const isPlainWildcard = names.length === 1 && names[0] === "*" && WILDCARD_TYPES.has(typeUrl);
    const node = this.#asked.size === 0 ? this.#node : undefined;
    this.#asked.add(typeUrl);
    if (!this.#order.includes(typeUrl)) this.#order.push(typeUrl);
    const request = { typeUrl, subscribe: isPlainWildcard ? [] : names, initialVersions: this.versions(typeUrl) };
    this.#stream?.write(encodeRequest(request, node));
  }

  #change(typeUrl: string, subscribe: readonly string[], unsubscribe: readonly string[]): void {
    if (subscribe.length + unsubscribe.length === 0) return;
    const wanted = this.#wanted.get(typeUrl) ?? new Set();
    this.#wanted.set(typeUrl, wanted);
    for (const name of subscribe) wanted.add(name);
    for (const name of unsubscribe) {
      wanted.delete(name);
      this.held.get(typeUrl)?.delete(name);
    }
    if (this.#asked.has(typeUrl)) this.#stream?.write(encodeRequest({ typeUrl, subscribe, unsubscribe }));
    else this.#ask(typeUrl);
  }

  #take(response: ReceivedResponse): void {
    const { typeUrl, nonce, resources, removed } = response;
    this.counts.responses += 1;
    this.counts.resources += resources.length;
    this.counts.removed += removed.length;
    const error = this.#refusal(resources);
    if (error === undefined) this.#accept(response);
    else this.counts.nacks += 1;
    this.#stream?.write(encodeRequest({ typeUrl, nonce, error }));
    for (const type of this.#wanted.keys()) this.#ask(type);
    this.onResponse(response);
  }

  #refusal(resources: readonly ReceivedResource[]): string | undefined {
    const { reject } = this.#options;
    if (reject === undefined) return undefined;
    return resources.map(reject).find((text) => text !== undefined);
  }

  #accept(response: ReceivedResponse): void {
    this.counts.acks += 1;
    this.lastAckAt.set(response.typeUrl, performance.now());
    this.#hold(response);
    // As in Envoy, new interest goes out before the ACK of what caused it.
    const changes = this.#followed?.update(response) ?? [];
    for (const { typeUrl, subscribe, unsubscribe } of changes) this.#change(typeUrl, subscribe, unsubscribe);
  }

  #hold({ typeUrl, resources, removed }: ReceivedResponse): void {
    const held = this.held.get(typeUrl) ?? new Map<string, HeldResource>();
    this.held.set(typeUrl, held);
    for (const { name, version, value } of resources) {
      held.set(name, { version, value: this.#options.keepValues ? value.slice() : undefined });
    }
    for (const name of removed) held.delete(name);
  }
}

const REQUEST_HEADERS = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: ADS_PATH,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  te: "trailers",
} as const;

/** One context for all fakes that trust the same: making one takes longer than a handshake. */
function trusting(ca: string): SecureContext {
  const known = contexts.get(ca);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca });
  contexts.set(ca, context);
  return context;
}

const contexts = new Map<string, SecureContext>();
