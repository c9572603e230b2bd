import type { Store } from "@heddle/model/store.ts";
import type { Authorities } from "../identity/authorities.ts";
import type { MeshRuntime } from "../mesh/mesh-runtime.ts";
import type { Meshes } from "../mesh/meshes.ts";
import type { Progress } from "../mesh/progress.ts";
import type { Secrets } from "../secrets.ts";
import type { RotationPlace } from "./record.ts";

/** What rotations work with. */
export interface RotationOptions {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly meshes: Pick<Meshes, "get" | "all">;
  readonly authorities: Authorities;
  readonly progress: Progress;
  readonly now: () => Date;
  /** How long an old authority that is removed early is trusted after the last certificate of it was replaced, in milliseconds. */
  readonly settleMillis: number;
  readonly onFailure: (message: string, cause: unknown) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** A mesh whose authorities are rotated. */
export interface RotatedMesh {
  readonly place: RotationPlace;
  readonly runtime: MeshRuntime;
}
