import { randomUUID } from "node:crypto";
import type { Place } from "@heddle/api/resources/owned-labels.ts";
import { usesWorkload } from "@heddle/model/spiffe-template.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { issuerName } from "../identity/certificates.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { chooseIdentity } from "@heddle/engine/snapshot/identity.ts";
import type { StreamEvent } from "@heddle/xds/events.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { type ConnectRequest, type ProxyConnection, XdsRefusal } from "@heddle/xds/hooks.ts";
import type { TokenService } from "../identity/token-service.ts";
import type { AdminKeys } from "../envoy-admin/admin-keys.ts";
import { adminTarget } from "../envoy-admin/admin-target.ts";
import { inspectPort } from "../envoy-admin/inspect-port.ts";
import { originsOf } from "../inspect/origins.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Proxy } from "../mesh/proxy.ts";
import type { RateLimits } from "../rate-limit/rate-limits.ts";
import { authenticateProxy } from "./authenticate.ts";
import { type Connection, Counters, type Insights } from "./insights.ts";
import type { Presence } from "./presence.ts";
import { nodeFacts } from "./node-facts.ts";
import { parseDataplane, register } from "./register.ts";

export interface SessionsOptions {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly place: Place;
  readonly meshes: Meshes;
  readonly tokens: TokenService;
  readonly presence: Presence;
  readonly insights: Insights;
  readonly adminKeys: AdminKeys;
  readonly rateLimits?: RateLimits | undefined;
  readonly authentication: "dpToken" | "none";
  readonly instanceId: string;
  readonly now: () => Date;
  readonly onProgress: () => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

interface Session {
  readonly tokenId: string | undefined;
  readonly request: ConnectRequest;
  readonly mesh: string;
}

/** The streams of proxies: who may connect, what becomes of what they say, and what remains when they end. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, Session>();
  #stopping = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Lets a proxy in, or throws XdsRefusal with a reason for its log. */
  async connect(request: ConnectRequest): Promise<ProxyConnection> {
    const { mesh, name } = parseNodeId(request.node.id);
    const { tokenId, ...wanted } = await this.identify(mesh, name, request);
    await register(this.#options.store, wanted);
    return this.#open(mesh, name, { tokenId, request, mesh });
  }

  /** Which Dataplane a proxy is, once its token has proved it; throws XdsRefusal. */
  async identify(
    mesh: string,
    name: string,
    request: ConnectRequest,
  ): Promise<NewResource<DataplaneSpec> & { readonly tokenId: string | undefined }> {
    const wanted = await this.#dataplaneOf(mesh, name, request);
    return { ...wanted, ...(await this.#authenticate(wanted, request.token)) };
  }

  /** Checks a token without connecting: for the bootstrap exchange, so that a wrong one is told early. */
  async check(proxy: NewResource<DataplaneSpec>, token: string | undefined): Promise<void> {
    await this.#authenticate(proxy, token);
  }

  /** Ends the streams whose token has been revoked since. */
  endRevoked(mesh: string, revoked: (tokenId: string) => boolean): void {
    for (const session of this.#live.values()) {
      if (session.mesh === mesh && session.tokenId !== undefined && revoked(session.tokenId)) {
        session.request.end(
          "unauthenticated",
          `the token of this proxy was revoked; make a new one with "heddle generate dataplane-token --mesh=${mesh}"`,
        );
      }
    }
  }

  /** Ends the stream of a proxy whose Dataplane somebody deleted: it comes back, and registers itself again. */
  endProxy(mesh: string, name: string): void {
    this.#live
      .get(`${mesh}/${name}`)
      ?.request.end("aborted", `Dataplane "${name}" was deleted; the proxy registers again`);
  }

  /** Ends all streams of a mesh that was deleted. */
  endMesh(mesh: string): void {
    for (const session of this.#live.values()) {
      if (session.mesh === mesh) session.request.end("not_found", `mesh "${mesh}" was deleted`);
    }
  }

  /** From now on an ending stream says nothing about its proxy: it is this control plane that goes. */
  stop(): void {
    this.#stopping = true;
  }

  async #dataplaneOf(mesh: string, name: string, { node }: ConnectRequest): Promise<NewResource<DataplaneSpec>> {
    const { meshes, store, kinds, place } = this.#options;
    if (meshes.get(mesh) === undefined) throw new XdsRefusal("not_found", noMesh(mesh));
    const text = node.metadata["dataplane.resource"];
    if (typeof text === "string" && text !== "") {
      const parsed = parseDataplane(kinds, text, { mesh, name }, place);
      if (!parsed.ok)
        throw new XdsRefusal(
          "invalid_argument",
          `the Dataplane of the proxy is not valid: ${sentence(parsed.violations)}`,
        );
      return parsed.value;
    }
    const stored = await store.get({ type: "Dataplane", mesh, name });
    if (stored === undefined) throw new XdsRefusal("not_found", noDataplane(mesh, name));
    return stored as NewResource<DataplaneSpec>;
  }

  async #authenticate(
    proxy: NewResource<DataplaneSpec>,
    token: string | undefined,
  ): Promise<{ tokenId: string | undefined }> {
    const { tokens, authentication, meshes } = this.#options;
    const identities = [...(meshes.get(proxy.mesh)?.snapshot.identities.values() ?? [])];
    const identity = chooseIdentity(identities, proxy.labels);
    const identityUsesWorkload = identity !== undefined && usesWorkload(identity.spec.spiffeID ?? {});
    const result = await authenticateProxy(proxy, token, { tokens, method: authentication, identityUsesWorkload });
    if (!result.ok) throw new XdsRefusal("unauthenticated", result.reason);
    return result;
  }

  #open(mesh: string, name: string, session: Session): ProxyConnection {
    const { meshes, presence, log, now, onProgress, insights, adminKeys, rateLimits } = this.#options;
    const runtime = meshes.get(mesh);
    if (runtime === undefined) throw new XdsRefusal("not_found", noMesh(mesh));
    const key = `${mesh}/${name}`;
    this.#live.get(key)?.request.end("aborted", "a newer stream of the same proxy took over");
    this.#live.set(key, session);
    const target = adminTarget(session.request.node.metadata);
    const proxy = runtime.connect(name, target && inspectPort(adminKeys, { mesh, name }, target));
    proxy.rateLimitAccess = rateLimits?.accessFor({ mesh, name }, session.request.node.metadata);
    presence.connected(mesh, name, nodeFacts(session.request.node.metadata, { mesh, name }));
    const connection = this.#describe(proxy, session);
    insights.touch(connection);
    log("proxy connected", { mesh, dataplane: name, peer: session.request.peer });
    return {
      attach: (push) => proxy.attach(push),
      report: (event) => {
        connection.counters.count(event, now());
        const refused = proxy.rejections.size;
        this.#hear(proxy, event);
        if (isNews(event) || refused !== proxy.rejections.size) insights.touch(connection);
        else insights.count(connection);
        onProgress();
      },
      close: (reason) => {
        if (this.#live.get(key) === session) this.#live.delete(key);
        runtime.disconnect(proxy);
        if (this.#stopping) return;
        presence.disconnected(mesh, name);
        insights.touch(connection, now());
        log("proxy disconnected", { mesh, dataplane: name, reason });
      },
    };
  }

  #hear(proxy: Proxy, event: StreamEvent): void {
    const { presence, log, now } = this.#options;
    switch (event.event) {
      case "sent":
        return;
      case "acked":
        for (const { name } of event.resources) proxy.rejections.delete(`${event.typeUrl} ${name}`);
        return;
      case "nacked": {
        log("proxy refused configuration", {
          mesh: proxy.mesh,
          dataplane: proxy.name,
          type: event.typeUrl,
          detail: event.detail,
        });
        for (const { name } of event.rejected) {
          const origins = proxy.compiled === undefined ? [] : [...originsOf(proxy.compiled, event.typeUrl, name)];
          const rejection = {
            typeUrl: event.typeUrl,
            resources: [name],
            detail: event.detail,
            origins,
            time: now().toISOString(),
          };
          proxy.refuse(`${event.typeUrl} ${name}`, rejection);
        }
        return;
      }
      case "wanted":
        this.#options.meshes.get(proxy.mesh)?.reissue(proxy);
        return;
      case "synced":
        proxy.synced(event.set);
        presence.synced(proxy.mesh, proxy.name, proxy.compiled?.identity !== undefined && proxy.held !== undefined);
    }
  }

  #describe(proxy: Proxy, { request }: Session): Connection {
    const { instanceId, now } = this.#options;
    return {
      mesh: proxy.mesh,
      name: proxy.name,
      subscription: {
        id: randomUUID(),
        controlPlaneInstanceId: instanceId,
        connectTime: now().toISOString(),
        version: request.node.metadata["version"],
      },
      certificate: () => {
        const identity = proxy.compiled?.identity;
        if (identity === undefined) return undefined;
        // Another authority may be meant to sign by now; what the proxy holds is of the one before until it does.
        return { held: proxy.held, issuer: proxy.held?.issuer ?? issuerName(identity), issued: proxy.issued };
      },
      rejections: () => [...proxy.rejections.values()],
      metadata: withoutDataplane(request.node.metadata),
      counters: new Counters(),
    };
  }
}

/** Whether somebody may be waiting to read of it; everything else is only counted. */
function isNews(event: StreamEvent): boolean {
  return event.event === "nacked" || (event.event === "acked" && NEWSWORTHY.has(event.typeUrl));
}

// Listeners tell that a proxy is ready, secrets that it has a new certificate.
const NEWSWORTHY: ReadonlySet<string> = new Set([TYPE_URL.listener, TYPE_URL.secret]);

/** The mesh and name in a node id; Kuma's form is `<mesh>.<name>`, and mesh names hold no dots. */
export function parseNodeId(id: string): { readonly mesh: string; readonly name: string } {
  const dot = id.indexOf(".");
  if (dot <= 0 || dot === id.length - 1) {
    throw new XdsRefusal(
      "invalid_argument",
      `the node id must be "<mesh>.<dataplane>", not ${JSON.stringify(id.slice(0, 80))}`,
    );
  }
  return { mesh: id.slice(0, dot), name: id.slice(dot + 1) };
}

/** The text for a mesh that is not there. */
export function noMesh(mesh: string): string {
  return `mesh "${mesh}" does not exist; create it with "heddle apply -f -" and {type: Mesh, name: ${mesh}}, or choose another with --mesh`;
}

/** The text for a Dataplane that is nowhere. */
export function noDataplane(mesh: string, name: string): string {
  return `Dataplane "${name}" of mesh "${mesh}" does not exist; apply it first, or start the proxy with --dataplane-file`;
}

/** Violations in one line. */
export function sentence(violations: readonly Violation[]): string {
  return violations.map(({ field, message }) => `${field} ${message}`).join("; ");
}

// The Dataplane is a resource of its own; the insight need not repeat it.
function withoutDataplane(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== "dataplane.resource"));
}
