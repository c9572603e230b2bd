import type { Place } from "@heddle/api/resources/owned-labels.ts";
import { usesWorkload } from "@heddle/model/spiffe-template.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { chooseIdentity } from "@heddle/engine/snapshot/identity.ts";
import type { StreamEvent } from "@heddle/xds/events.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { type ConnectRequest, type ProxyConnection, XdsRefusal } from "@heddle/xds/hooks.ts";
import type { Credential, Judge, TokenService } from "../identity/token-service.ts";
import type { AdminKeys } from "../envoy-admin/admin-keys.ts";
import { adminTarget } from "../envoy-admin/admin-target.ts";
import { inspectPort } from "../envoy-admin/inspect-port.ts";
import { originsOf } from "../inspect/origins.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Proxy } from "../mesh/proxy.ts";
import type { RateLimits } from "../rate-limit/rate-limits.ts";
import { authenticateProxy } from "./authenticate.ts";
import { describeConnection } from "./describe-connection.ts";
import { ExpiryClock } from "./expiry-clock.ts";
import type { Connection, Insights } from "./insights.ts";
import type { Presence } from "./presence.ts";
import { endExpired, endRevoked, type Session } from "./token-ends.ts";
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

type Identified = NewResource<DataplaneSpec> & { readonly credential: Credential | undefined };

/** The streams of proxies: who may connect, what becomes of what they say, and what remains when they end. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, Session & { readonly connection: Connection }>();
  /** Streams beside those above that last as long as their token is good. */
  readonly #others = new Set<Session>();
  /** Counts the changes of keys and revocations, for whoever was just being let in. */
  #judgements = 0;
  readonly #expiry: ExpiryClock;
  #stopping = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#expiry = new ExpiryClock(options.now, () => endExpired(this.#all(), options.now()));
  }

  get size(): number {
    return this.#live.size;
  }

  /** Lets a proxy in, or throws XdsRefusal with a reason for its log. */
  async connect(request: ConnectRequest): Promise<ProxyConnection> {
    const { mesh, name } = parseNodeId(request.node.id);
    for (;;) {
      const judgements = this.#judgements;
      const { credential, ...wanted } = await this.#identify(mesh, name, request);
      // Before anything of the newcomer's is stored: its address would draw the traffic of the one that is there.
      await this.#refuseSecondHost(mesh, name, request);
      await register(this.#options.store, wanted);
      // A token that was revoked meanwhile is in nobody's list yet, so it is looked at again.
      if (judgements === this.#judgements) return this.#open(mesh, name, { credential, request, mesh });
    }
  }

  /** Lets a proxy open another stream beside its own, for as long as its token is good, or throws XdsRefusal. */
  async accompany(
    request: ConnectRequest,
  ): Promise<{ readonly dataplane: NewResource<DataplaneSpec>; readonly close: () => void }> {
    const { mesh, name } = parseNodeId(request.node.id);
    for (;;) {
      const judgements = this.#judgements;
      const { credential, ...dataplane } = await this.#identify(mesh, name, request);
      if (judgements !== this.#judgements) continue;
      const session = { credential, request, mesh };
      this.#others.add(session);
      if (credential !== undefined) this.#expiry.notice(credential.expiresAt);
      return { dataplane, close: () => this.#others.delete(session) };
    }
  }

  /** Which Dataplane a proxy is, once its token has proved it; throws XdsRefusal. */
  async #identify(mesh: string, name: string, request: ConnectRequest): Promise<Identified> {
    const wanted = await this.#dataplaneOf(mesh, name, request);
    return { ...wanted, ...(await this.#authenticate(wanted, request.token)) };
  }

  /**
   * A proxy that comes back takes its old stream over, and so does one that moved. Two hosts at once that both answer are
   * one too many: the token may be stolen, and the newcomer does not get the place of the one that is there.
   */
  async #refuseSecondHost(mesh: string, name: string, { peer }: ConnectRequest): Promise<void> {
    const first = this.#live.get(`${mesh}/${name}`);
    if (first === undefined || hostOf(first.request.peer) === hostOf(peer) || !(await first.request.answers())) return;
    const { log, insights, now } = this.#options;
    log("a second host came as a connected proxy and was refused; revoke the token if that was not you", {
      mesh,
      dataplane: name,
      peer,
      connected: first.request.peer,
      token: first.credential?.id,
    });
    first.connection.refuseHost({ peer, time: now().toISOString() });
    insights.touch(first.connection);
    throw new XdsRefusal(
      "permission_denied",
      `Dataplane "${name}" is connected from another host, which answers: stop the proxy there, or give this one a name of its own`,
    );
  }

  /** Checks a token without connecting: for the bootstrap exchange, so that a wrong one is told early. */
  async check(proxy: NewResource<DataplaneSpec>, token: string | undefined): Promise<void> {
    await this.#authenticate(proxy, token);
  }

  /** Ends the streams whose token has been revoked since, or whose key is gone. */
  endRevoked(mesh: string, judge: Judge): void {
    this.#judgements += 1;
    endRevoked(this.#all(), mesh, judge);
  }

  #all(): Session[] {
    return [...this.#live.values(), ...this.#others];
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
    this.#expiry.stop();
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
  ): Promise<{ credential: Credential | undefined }> {
    const { tokens, authentication, meshes } = this.#options;
    const identities = [...(meshes.get(proxy.mesh)?.snapshot.identities.values() ?? [])];
    const identity = chooseIdentity(identities, proxy.labels);
    const identityUsesWorkload = identity !== undefined && usesWorkload(identity.spec.spiffeID ?? {});
    const result = await authenticateProxy(proxy, token, { tokens, method: authentication, identityUsesWorkload });
    if (!result.ok) throw new XdsRefusal("unauthenticated", result.reason);
    return result;
  }

  #open(mesh: string, name: string, session: Session): ProxyConnection {
    const { meshes, presence, log, now, onProgress, insights, adminKeys, rateLimits, instanceId } = this.#options;
    const runtime = meshes.get(mesh);
    if (runtime === undefined) throw new XdsRefusal("not_found", noMesh(mesh));
    const key = `${mesh}/${name}`;
    this.#live.get(key)?.request.end("aborted", "a newer stream of the same proxy took over");
    const target = adminTarget(session.request.node.metadata);
    const proxy = runtime.connect(name, target && inspectPort(adminKeys, { mesh, name }, target));
    proxy.rateLimitAccess = rateLimits?.accessFor({ mesh, name }, session.request.node.metadata);
    presence.connected(mesh, name, nodeFacts(session.request.node.metadata, { mesh, name }));
    const connection = describeConnection(proxy, session.request, { instanceId, now });
    const live = { ...session, connection };
    this.#live.set(key, live);
    if (live.credential !== undefined) this.#expiry.notice(live.credential.expiresAt);
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
        if (this.#live.get(key) === live) this.#live.delete(key);
        runtime.disconnect(proxy);
        if (this.#stopping) return;
        presence.disconnected(mesh, name);
        insights.touch(connection, now());
        log("proxy disconnected", { mesh, dataplane: name, reason });
      },
    };
  }

  async #awaitAgent(proxy: Proxy): Promise<void> {
    proxy.certificateProblem = NO_ANSWER;
    await this.#options.presence.syncedOnceOpen(proxy.mesh, proxy.name);
    proxy.certificateProblem = undefined;
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
        const detail = shortened(event.detail);
        log("proxy refused configuration", {
          mesh: proxy.mesh,
          dataplane: proxy.name,
          type: event.typeUrl,
          detail,
        });
        for (const { name } of event.rejected) {
          const origins = proxy.compiled === undefined ? [] : [...originsOf(proxy.compiled, event.typeUrl, name)];
          const rejection = {
            typeUrl: event.typeUrl,
            resources: [name],
            detail,
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
        if (proxy.compiled?.identity?.tls.agent !== undefined) return void this.#awaitAgent(proxy);
        presence.synced(proxy.mesh, proxy.name, proxy.compiled?.identity !== undefined && proxy.held !== undefined);
    }
  }
}

/** Envoy's longest reason that anybody reads. A rogue proxy may send megabytes, which would be stored for each resource. */
const LONGEST_DETAIL = 4_096;

function shortened(detail: string): string {
  return detail.length <= LONGEST_DETAIL
    ? detail
    : `${detail.slice(0, LONGEST_DETAIL)} … (${detail.length} characters)`;
}

/** The address without its port; the loopback addresses of both families are one host. */
function hostOf(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(":")).replace(/^::ffff:/, "");
  return host === "::1" ? "127.0.0.1" : host;
}

const NO_ANSWER = "the SPIRE agent beside the proxy has given it no certificate yet, so that its ports are closed";

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
