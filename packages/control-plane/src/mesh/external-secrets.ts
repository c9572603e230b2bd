import type { Compiled } from "@heddle/engine/compile.ts";
import { authoritiesSecret, identitySecret } from "@heddle/engine/emit/secrets.ts";
import { type ExternalSecret, externalSecrets, secretsNamedBy } from "@heddle/engine/snapshot/external-view.ts";
import type { Destination } from "@heddle/engine/plan/plan.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { textOf } from "../secrets.ts";
import { meaningOf, type SecureDataSource } from "@heddle/model/secure-data-source.ts";

/** What the Secrets of a mesh hold, and the secrets of Envoy that are made of them for services outside of the mesh. */
export class ExternalSecrets {
  readonly #texts = new Map<string, string>();
  readonly #encoded = new Map<string, { readonly content: string; readonly resource: EncodedResource }>();

  /** Notes what a Secret holds, when the change is about one; gives its name if that is new. */
  take(change: MeshChange): readonly string[] {
    if (!("resource" in change) || change.resource.type !== "Secret") return [];
    const { name } = change.resource;
    const text = change.what === "put" ? textOf(change.resource) : undefined;
    if (this.#texts.get(name) === text) return [];
    if (text === undefined) this.#texts.delete(name);
    else this.#texts.set(name, text);
    return [name];
  }

  /** The secrets that the clusters of these destinations refer to. */
  secretsFor(mesh: MeshSnapshot, destinations: Iterable<Destination>): readonly EncodedResource[] {
    return [...destinations].flatMap(({ external, name }) => {
      const service = mesh.externalServices.get(name);
      if (external?.tls === undefined || external.problem !== undefined || service === undefined) return [];
      return externalSecrets(service).flatMap((secret) => this.#encode(secret) ?? []);
    });
  }

  // All proxies that call a service share what is made for it.
  #encode({ name, holds }: ExternalSecret): EncodedResource | undefined {
    const texts = Object.values<SecureDataSource>(holds).map((source) => this.#textOf(source));
    const content = JSON.stringify(texts);
    const known = this.#encoded.get(name);
    if (known?.content === content) return known.resource;
    const [first, second] = texts;
    if (first === undefined) return undefined;
    const resource = second === undefined ? authoritiesSecret(name, first) : identitySecret(name, first, second);
    this.#encoded.set(name, { content, resource });
    return resource;
  }

  #textOf(source: SecureDataSource): string | undefined {
    const meaning = meaningOf(source);
    return meaning.from === "text" ? meaning.text : this.#texts.get(meaning.name);
  }
}

/** Whether a proxy calls somebody for whom it needs one of these Secrets. */
export function needsSecret(mesh: MeshSnapshot, compiled: Compiled | undefined, names: readonly string[]): boolean {
  return [...(compiled?.destinations.values() ?? [])].some((destination) => {
    const service = destination.external && mesh.externalServices.get(destination.name);
    return service !== undefined && secretsNamedBy(service.spec).some((name) => names.includes(name));
  });
}
