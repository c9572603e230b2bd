import { type KindRegistry, kindRegistry } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { policies } from "@heddle/policies/index.ts";

/** Every kind of resource that this product knows. */
export const KINDS: KindRegistry = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
