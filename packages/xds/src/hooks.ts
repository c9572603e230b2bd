import type { EndpointHealthResponse, HealthCheckSpecifier } from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import type { NodeIdentity } from "./decode.ts";
import type { StreamEvent } from "./events.ts";
import type { GrpcCode } from "./grpc-status.ts";
import type { ResourceSet } from "./resource.ts";

/** A proxy that opened a stream and said who it is. */
export interface ConnectRequest {
  /** Counts the streams of this server, from 1. */
  readonly streamId: number;
  readonly node: NodeIdentity;
  /** The `authorization` metadata: one token, without "Bearer". A secret: not for logs. */
  readonly token: string | undefined;
  /** Address and port the connection comes from. */
  readonly peer: string;
  /** Whether the other end answers right now: a machine that vanished leaves its connection open for a while. */
  answers(): Promise<boolean>;
  /** Ends the stream now, at any time: the token was revoked, or a newer stream took over. May be called twice. */
  end(code: GrpcCode, reason: string): void;
}

/** Thrown by `connect` to refuse a proxy. The client sees code and text, so the text says what to do next. */
export class XdsRefusal extends Error {
  override readonly name = "XdsRefusal";
  readonly code: "unauthenticated" | "permission_denied" | "not_found" | "invalid_argument" | "unavailable";

  constructor(code: XdsRefusal["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the control plane gives the server for one accepted discovery stream. */
export interface ProxyConnection {
  /** Called once. The control plane calls `push` with each new set; a `push` after the end does nothing. */
  attach(push: (set: ResourceSet) => void): void;
  /** What was sent, and what the proxy said to it. */
  report(event: StreamEvent): void;
  /** The stream ended. Called exactly once, last. */
  close(reason: string): void;
}

/** The control plane, as seen by the server. */
export interface XdsHooks {
  /** Accepts a proxy, or throws XdsRefusal. */
  connect(request: ConnectRequest): Promise<ProxyConnection>;
}

/** What the control plane gives the server for one accepted health stream. */
export interface HealthConnection {
  /** Called once. `send` tells the proxy which endpoints to check, and how often to report. */
  attach(send: (specifier: HealthCheckSpecifier) => void): void;
  receive(response: EndpointHealthResponse): void;
  /** The stream ended. Called exactly once, last. */
  close(reason: string): void;
}

/** Health discovery: proxies check the ports of their own applications and report. */
export interface HealthHooks {
  /** Accepts a proxy, or throws XdsRefusal. */
  connect(request: ConnectRequest): Promise<HealthConnection>;
}
