import assert from "node:assert/strict";
import type { DeltaRequest, DeltaResponse } from "../events.ts";
import { TYPE_URL } from "../type-url.ts";
import { type Random, references } from "./model-content.ts";
import { MuxType } from "./mux-model.ts";

interface Cluster {
  readonly content: string;
  hasEndpoints: boolean;
}

/**
 * A client that behaves as Envoy 1.40 does where it matters to a server: a changed cluster warms until endpoints and
 * secrets arrive, and clusters are not acknowledged while one is warming; it starts asking for listeners when the first
 * clusters are ready; a name is asked for once however many users it has; a refused response may be half applied.
 * It asserts on the way that nothing it uses is taken from it.
 */
export class EnvoyModel {
  readonly active = new Map<string, Cluster>();
  readonly warming = new Map<string, Cluster>();
  readonly endpoints = new Map<string, string>();
  readonly secrets = new Map<string, string>();
  readonly listeners = new Map<string, string>();
  readonly warmingListeners = new Map<string, string>();
  readonly routes = new Map<string, string>();
  /** Clusters refused at least once: routes to them are excused. */
  readonly refusedClusters = new Set<string>();
  /**
   * What was applied although its response was refused, as "typeUrl/name". When the stream ends before it was accepted,
   * Envoy tells the next server the version it had before, or nothing: no server can know what it really has.
   */
  readonly untold = new Set<string>();
  readonly #random: Random;
  readonly #types: Map<string, MuxType>;
  #isInitialised = false;

  constructor(random: Random) {
    this.#random = random;
    this.#types = new Map(
      [
        new MuxType(TYPE_URL.cluster, true, (response) => this.#applyClusters(response)),
        new MuxType(TYPE_URL.endpoint, false, (response) => this.#applyEndpoints(response)),
        new MuxType(TYPE_URL.secret, false, (response) => this.#applySecrets(response)),
        new MuxType(TYPE_URL.listener, true, (response) => this.#applyListeners(response)),
        new MuxType(TYPE_URL.route, false, (response) => this.#applyRoutes(response)),
      ].map((type) => [type.typeUrl, type]),
    );
    this.#type(TYPE_URL.cluster).isPaused = () => this.#isInitialised && this.warming.size > 0;
    this.#type(TYPE_URL.listener).isPaused = () => !this.#isInitialised;
  }

  receive(response: DeltaResponse): void {
    const isTaken = this.#type(response.typeUrl).receive(response);
    for (const name of [...response.resources.map((resource) => resource.name), ...response.removed]) {
      if (isTaken) this.untold.delete(`${response.typeUrl}/${name}`);
      else this.untold.add(`${response.typeUrl}/${name}`);
    }
    this.#warmUp();
  }

  reconnect(): void {
    for (const type of this.#types.values()) type.reconnect();
  }

  /** All that Envoy has to say now, in the order in which it says it. */
  requests(): readonly DeltaRequest[] {
    const requests: DeltaRequest[] = [];
    for (const type of this.#types.values()) {
      for (let next = type.next(); next !== undefined; next = type.next()) requests.push(next);
    }
    return requests;
  }

  /** True when Envoy asks for this name, or for everything of this type. */
  isWatched(typeUrl: string, name: string): boolean {
    const type = this.#type(typeUrl);
    return type.wildcard || type.users.has(name);
  }

  #type(typeUrl: string): MuxType {
    const type = this.#types.get(typeUrl);
    assert.ok(type, `a response for a type nobody asked for: ${typeUrl}`);
    return type;
  }

  #applyClusters({ resources, removed }: DeltaResponse): string | undefined {
    const refused: string[] = [];
    const isRefusedWhole = this.#random(4) === 0 && resources.some(({ version }) => isBad(version));
    for (const { name, version } of resources) {
      if (isBad(version)) {
        refused.push(name);
        this.refusedClusters.add(name);
      } else if (!isRefusedWhole) this.#applyCluster(name, version);
    }
    if (isRefusedWhole) return "Proto constraint validation failed";
    for (const name of removed) this.#removeCluster(name);
    return refusalText("cluster(s)", refused, ", ");
  }

  #applyCluster(name: string, content: string): void {
    const current = this.warming.get(name) ?? this.active.get(name);
    if (current?.content === content) return;
    this.#type(TYPE_URL.endpoint).watch(name);
    for (const secret of references(content)) this.#type(TYPE_URL.secret).watch(secret);
    const replaced = this.warming.get(name);
    this.warming.set(name, { content, hasEndpoints: false });
    if (replaced !== undefined) this.#release(name, replaced);
  }

  #removeCluster(name: string): void {
    for (const [listener, content] of [...this.listeners, ...this.warmingListeners]) {
      for (const route of references(content)) {
        const used = references(this.routes.get(route) ?? "");
        assert.ok(!used.includes(name), `cluster ${name} is removed while ${listener} uses it through ${route}`);
      }
    }
    for (const clusters of [this.active, this.warming]) {
      const cluster = clusters.get(name);
      clusters.delete(name);
      if (cluster !== undefined) this.#release(name, cluster);
    }
  }

  #release(name: string, { content }: Cluster): void {
    this.#type(TYPE_URL.endpoint).unwatch(name);
    if (!this.#type(TYPE_URL.endpoint).users.has(name)) this.endpoints.delete(name);
    for (const secret of references(content)) this.#type(TYPE_URL.secret).unwatch(secret);
    for (const secret of this.secrets.keys()) {
      if (!this.#type(TYPE_URL.secret).users.has(secret)) this.secrets.delete(secret);
    }
  }

  #applyEndpoints({ resources, removed }: DeltaResponse): string | undefined {
    for (const { name, version } of resources) {
      if (isBad(version)) return this.#failEndpoints();
      const cluster = this.warming.get(name);
      if (cluster === undefined && !this.active.has(name)) continue;
      this.endpoints.set(name, version);
      if (cluster !== undefined) cluster.hasEndpoints = true;
    }
    for (const name of removed) {
      const cluster = this.warming.get(name);
      if (cluster !== undefined) cluster.hasEndpoints = true;
    }
    return undefined;
  }

  /** Envoy tells every cluster that endpoints were refused, and all stop waiting. */
  #failEndpoints(): string {
    for (const cluster of this.warming.values()) cluster.hasEndpoints = true;
    return "malformed address";
  }

  #applySecrets({ resources, removed }: DeltaResponse): string | undefined {
    for (const { name, version } of resources) {
      if (isBad(version)) {
        for (const name of this.#type(TYPE_URL.secret).users.keys())
          if (!this.secrets.has(name)) this.secrets.set(name, "");
        return "Failed to load certificate chain";
      }
      if (this.#type(TYPE_URL.secret).users.has(name)) this.secrets.set(name, version);
    }
    for (const name of removed) this.secrets.set(name, "");
    return undefined;
  }

  #applyListeners({ resources, removed }: DeltaResponse): string | undefined {
    const refused: string[] = [];
    for (const { name, version } of resources) {
      if (isBad(version)) refused.push(name);
      else this.#applyListener(name, version);
    }
    for (const name of removed) {
      for (const listeners of [this.listeners, this.warmingListeners]) this.#dropListener(listeners, name);
    }
    return refusalText("listener(s)", refused, "\n");
  }

  #applyListener(name: string, content: string): void {
    if ((this.warmingListeners.get(name) ?? this.listeners.get(name)) === content) return;
    for (const route of references(content)) this.#type(TYPE_URL.route).watch(route);
    this.#dropListener(this.warmingListeners, name);
    this.warmingListeners.set(name, content);
  }

  #dropListener(listeners: Map<string, string>, name: string): void {
    const content = listeners.get(name);
    listeners.delete(name);
    if (content !== undefined) this.#releaseRoutes(content);
  }

  #releaseRoutes(content: string): void {
    for (const route of references(content)) {
      this.#type(TYPE_URL.route).unwatch(route);
      if (!this.#type(TYPE_URL.route).users.has(route)) this.routes.delete(route);
    }
  }

  #applyRoutes({ resources, removed }: DeltaResponse): string | undefined {
    for (const { name, version } of resources) {
      if (isBad(version)) {
        for (const name of this.#type(TYPE_URL.route).users.keys())
          if (!this.routes.has(name)) this.routes.set(name, "");
        return "Only unique values for domains are permitted";
      }
      if (!this.#type(TYPE_URL.route).users.has(name)) continue;
      this.routes.set(name, version);
      this.#assertClustersExist(name);
    }
    // Envoy itself waits for its time-out of 15 s when a route does not exist; here the answer is enough.
    for (const name of removed) if (!this.routes.has(name)) this.routes.set(name, "");
    return undefined;
  }

  #assertClustersExist(route: string): void {
    for (const name of references(this.routes.get(route) ?? "")) {
      const exists = this.active.has(name) || this.refusedClusters.has(name);
      assert.ok(exists, `route ${route} uses cluster ${name}, which is not ready`);
    }
  }

  #warmUp(): void {
    for (const [name, cluster] of this.warming) {
      if (!cluster.hasEndpoints || !references(cluster.content).every((secret) => this.secrets.has(secret))) continue;
      const replaced = this.active.get(name);
      this.warming.delete(name);
      this.active.set(name, cluster);
      if (replaced !== undefined) this.#release(name, replaced);
    }
    if (this.warming.size === 0) this.#isInitialised = true;
    for (const [name, content] of this.warmingListeners) {
      if (!references(content).every((route) => this.routes.has(route))) continue;
      this.warmingListeners.delete(name);
      const before = this.listeners.get(name);
      this.listeners.set(name, content);
      if (before !== undefined) this.#releaseRoutes(before);
    }
  }
}

function isBad(version: string): boolean {
  return version.startsWith("!");
}

function refusalText(kind: string, names: readonly string[], separator: string): string | undefined {
  if (names.length === 0) return undefined;
  return `Error adding/updating ${kind} ${names.map((name) => `${name}: not allowed`).join(separator)}`;
}
