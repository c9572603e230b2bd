import type { AccessAuditSpec, AccessRoleBindingSpec, AccessRoleSpec } from "@heddle/model/kinds/access.ts";
import { type Resource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** The roles, bindings and audits in force, as the store's changes make them. */
export interface AccessState extends AsyncDisposable {
  /** Throws when the store cannot be followed any more: nothing is allowed by roles that may be old. */
  rights(): Rights;
  audits(): readonly AccessAuditSpec[];
}

const TYPES = ["AccessRole", "AccessRoleBinding", "AccessAudit"] as const;

/** Reads the roles and follows the store from there on. */
export async function followAccess(store: Store, onFailure: (cause: unknown) => void): Promise<AccessState> {
  const ending = new AbortController();
  const known = new Map<string, Map<string, Resource>>();
  let rights: Rights | undefined;
  let failure: unknown;
  const after = await store.revision();
  for (const type of TYPES) {
    const { items } = await store.list({ type });
    known.set(type, new Map(items.map((item) => [item.name, item])));
  }
  const loop = async (): Promise<void> => {
    for await (const events of store.watch({ after, signal: ending.signal })) {
      for (const { change, resource } of events) {
        const kept = known.get(resource.type);
        if (kept === undefined) continue;
        if (change === "put") kept.set(resource.name, resource);
        else kept.delete(resource.name);
        rights = undefined;
      }
    }
  };
  const done = loop().catch((cause: unknown) => {
    failure = cause;
    onFailure(cause);
  });
  const all = <Spec>(type: (typeof TYPES)[number]): readonly { name: string; spec: Spec }[] => {
    if (failure !== undefined) throw new Error("Cannot tell who may do what: the store cannot be followed any more");
    const resources = [...(known.get(type)?.values() ?? [])].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return resources.map(({ name, spec }) => ({ name, spec: spec as Spec }));
  };
  return {
    rights: () =>
      (rights ??= rightsOf(all<AccessRoleSpec>("AccessRole"), all<AccessRoleBindingSpec>("AccessRoleBinding"))),
    audits: () => all<AccessAuditSpec>("AccessAudit").map(({ spec }) => spec),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done;
    },
  };
}
