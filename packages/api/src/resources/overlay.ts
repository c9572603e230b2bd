import { keyText, type NewResource, type Resource, type ResourceKey } from "@heddle/model/resource.ts";
import type { ListQuery, Page } from "@heddle/model/store.ts";
import type { Reader } from "../ports.ts";
import { nameOrder } from "./page-of-keys.ts";

/** A store as it would be after some writes, which never happen. Lists are given whole, without offsets. */
export class Overlay implements Reader {
  readonly #base: Reader;
  /** Undefined stands for what would be gone. */
  readonly #changes = new Map<string, Resource | undefined>();

  constructor(base: Reader) {
    this.#base = base;
  }

  put(resource: NewResource, previous: Resource | undefined, now: Date): void {
    const time = now.toISOString();
    const creationTime = previous?.creationTime ?? time;
    const version = (previous?.version ?? 0) + 1;
    this.#changes.set(keyText(resource), { ...resource, creationTime, modificationTime: time, version });
  }

  delete(key: ResourceKey): void {
    this.#changes.set(keyText(key), undefined);
  }

  async get(key: ResourceKey): Promise<Resource | undefined> {
    const text = keyText(key);
    return this.#changes.has(text) ? this.#changes.get(text) : this.#base.get(key);
  }

  async list({ size, offset: _offset, ...query }: ListQuery): Promise<Page> {
    const stored = await this.#base.list(query);
    const untouched = stored.items.filter((item) => !this.#changes.has(keyText(item)));
    const added = [...this.#changes.values()].filter((item) => item !== undefined).filter((item) => fits(item, query));
    const items = [...untouched, ...added].toSorted(nameOrder);
    return { items: items.slice(0, size), total: items.length };
  }
}

function fits(item: Resource, { type, mesh, nameContains, labels = {}, where }: ListQuery): boolean {
  return (
    item.type === type &&
    (mesh === undefined || item.mesh === mesh) &&
    (nameContains === undefined || item.name.includes(nameContains)) &&
    Object.entries(labels).every(([key, value]) => item.labels[key] === value) &&
    (where === undefined || where(item))
  );
}
