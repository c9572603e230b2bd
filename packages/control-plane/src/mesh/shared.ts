import type { Memo } from "@heddle/engine/memo.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import type { Authorities } from "../identity/authorities.ts";
import type { Certificates } from "../identity/certificates.ts";
import type { CaEvents } from "../identity/mesh-cas.ts";
import type { HeldPolicy } from "./staging.ts";

/** What all meshes of a control plane share. */
export interface Shared {
  readonly zone: string;
  readonly policies: readonly Policy[];
  readonly memo: Memo;
  readonly sliceMillis: number;
  readonly authorities: Authorities;
  readonly certificates: Certificates;
  /** Told when proxies got something new, acknowledged or refused it, or came and went. */
  readonly onProgress: () => void;
  /** Told when proxies refused policies, and these were taken back. */
  readonly onHeld: (held: readonly HeldPolicy[]) => void;
  /** Told when a certificate could not be issued. */
  readonly onFailure: (message: string, cause: unknown) => void;
  /** Told when a certificate authority of a mesh went down or came back. */
  readonly onCaState?: CaEvents["onState"];
}
