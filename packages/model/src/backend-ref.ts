import { BACKEND_KINDS, type BackendRef, checkTargetRef } from "./target-ref.ts";
import type { Violation } from "./violation.ts";

/** What is wrong with a reference to where requests go. */
export function checkBackendRef({ weight: _weight, port: _port, ...target }: BackendRef, field: string): Violation[] {
  return checkTargetRef(target, BACKEND_KINDS, field);
}
