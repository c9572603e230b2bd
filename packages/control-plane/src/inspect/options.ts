import type { Memo } from "@heddle/engine/memo.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import type { MeshIdentitySpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import type { AdminKeys } from "../envoy-admin/admin-keys.ts";
import type { Authorities } from "../identity/authorities.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Progress } from "../mesh/progress.ts";

/** What inspection looks at, and what it computes with: the very things that proxies are served with. */
export interface InspectOptions {
  readonly meshes: Meshes;
  readonly kinds: KindRegistry;
  readonly policies: readonly Policy[];
  readonly memo: Memo;
  readonly progress: Progress;
  /** Answers wait until the meshes have taken over what was written before they were asked for. */
  readonly store: Pick<Store, "revision">;
  readonly zone: string;
  /** Longest time at a stretch, in milliseconds, for which a big answer may keep everybody else waiting. */
  readonly sliceMillis: number;
  /** How this control plane proves who it is when it looks into a running Envoy. */
  readonly adminKeys: AdminKeys;
  /** Who signs proxies' certificates. */
  readonly authorities: Authorities;
  /** For how long these should outlast the control plane, in milliseconds. */
  readonly availabilityTarget: number;
  readonly now: () => Date;
  /** The trust domain that an identity's SPIFFE IDs are in. */
  readonly trustDomain: (identity: Resource<MeshIdentitySpec>) => string;
}
