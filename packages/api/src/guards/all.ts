import type { Ports, WriteGuard } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";
import { danglingGuard } from "./dangling.ts";
import { identityInUseGuard } from "./identity-in-use.ts";
import { labelGuard } from "./labels.ts";
import { legacyGuard } from "./legacy.ts";
import { meshCaGuard } from "./mesh-ca.ts";
import { meshDeletionGuard } from "./mesh-deletion.ts";
import { readOnlyGuard } from "./read-only.ts";
import { rolesGuard } from "./roles.ts";

/** Every guard of a write, the refusing ones first, then those that the control plane brings. */
export function allGuards(ports: Ports, settings: ApiSettings): readonly WriteGuard[] {
  return [
    readOnlyGuard(settings, ports.info),
    meshDeletionGuard(settings),
    meshCaGuard,
    labelGuard(ports.info),
    identityInUseGuard,
    danglingGuard(ports.kinds),
    legacyGuard(ports.kinds),
    rolesGuard(ports.kinds, settings),
    ...(ports.writeGuards ?? []),
  ];
}
