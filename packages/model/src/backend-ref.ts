import { type BackendRef, checkTargetRef } from "./target-ref.ts";
import type { Violation } from "./violation.ts";

const BACKENDS = ["MeshService", "MeshServiceSubset", "MeshExternalService", "MeshMultiZoneService"] as const;

/** What is wrong with a reference to where requests go. */
export function checkBackendRef({ weight: _weight, port: _port, ...target }: BackendRef, field: string): Violation[] {
  return checkTargetRef(target, BACKENDS, field);
}
