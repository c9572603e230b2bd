import type { SecretSpec } from "@heddle/model/kinds/system.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";

/** Reads and makes Secrets (of a mesh) and GlobalSecrets (mesh ""), whose data is base64 in the store. */
export class Secrets {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async read(mesh: string, name: string): Promise<string | undefined> {
    const found = await this.#store.get({ type: typeOf(mesh), mesh, name });
    return found === undefined ? undefined : textOf(found);
  }

  /** All secrets of a mesh whose name begins so, name to text. */
  async list(mesh: string, prefix: string): Promise<ReadonlyMap<string, string>> {
    const { items } = await this.#store.list({ type: typeOf(mesh), mesh });
    return new Map(items.filter(({ name }) => name.startsWith(prefix)).map((secret) => [secret.name, textOf(secret)]));
  }

  /** Stores a text, whatever is there. */
  async write(mesh: string, name: string, text: string): Promise<void> {
    const key = { type: typeOf(mesh), mesh, name };
    const spec: SecretSpec = { data: Buffer.from(text).toString("base64") };
    for (;;) {
      const known = await this.#store.get(key);
      try {
        const resource = { ...key, labels: known?.labels ?? {}, spec };
        await (known === undefined ? this.#store.create(resource) : this.#store.update(resource, known.version));
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || !RACES.has(error.code)) throw error;
      }
    }
  }

  /** Stores what `make` makes, unless the secret is there; gives what is stored. Somebody else may be quicker. */
  async ensure(mesh: string, name: string, make: () => Promise<string>): Promise<string> {
    const known = await this.read(mesh, name);
    if (known !== undefined) return known;
    const made = await make();
    try {
      const spec: SecretSpec = { data: Buffer.from(made).toString("base64") };
      await this.#store.create({ type: typeOf(mesh), mesh, name, labels: {}, spec });
      return made;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "already_exists") throw error;
      return (await this.read(mesh, name)) ?? made;
    }
  }
}

// Somebody else wrote or deleted it at the same time.
const RACES: ReadonlySet<string> = new Set(["already_exists", "conflict", "not_found"]);

/** The text in a Secret or GlobalSecret. */
export function textOf(secret: Resource): string {
  const { data = "" } = secret.spec as SecretSpec;
  return Buffer.from(data, "base64").toString("utf8");
}

function typeOf(mesh: string): "Secret" | "GlobalSecret" {
  return mesh === "" ? "GlobalSecret" : "Secret";
}
