// Written by `npm run generate` from the folders beside it.
import { meshHttpRoute } from "./mesh-http-route/policy.ts";
import { meshTimeout } from "./mesh-timeout/policy.ts";
import { meshTrafficPermission } from "./mesh-traffic-permission/policy.ts";

/** Every policy there is, in the order of their names. */
export const policies = [
  meshHttpRoute,
  meshTimeout,
  meshTrafficPermission,
] as const;
