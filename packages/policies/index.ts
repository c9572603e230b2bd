// Written by `npm run generate` from the folders beside it.
import { meshAccessLog } from "./mesh-access-log/policy.ts";
import { meshCircuitBreaker } from "./mesh-circuit-breaker/policy.ts";
import { meshExtAuthz } from "./mesh-ext-authz/policy.ts";
import { meshFaultInjection } from "./mesh-fault-injection/policy.ts";
import { meshGlobalRateLimit } from "./mesh-global-rate-limit/policy.ts";
import { meshHealthCheck } from "./mesh-health-check/policy.ts";
import { meshHttpRoute } from "./mesh-http-route/policy.ts";
import { meshJwt } from "./mesh-jwt/policy.ts";
import { meshLoadBalancingStrategy } from "./mesh-load-balancing-strategy/policy.ts";
import { meshMetric } from "./mesh-metric/policy.ts";
import { meshOpa } from "./mesh-opa/policy.ts";
import { meshPassthrough } from "./mesh-passthrough/policy.ts";
import { meshProxyPatch } from "./mesh-proxy-patch/policy.ts";
import { meshRateLimit } from "./mesh-rate-limit/policy.ts";
import { meshRetry } from "./mesh-retry/policy.ts";
import { meshTcpRoute } from "./mesh-tcp-route/policy.ts";
import { meshTimeout } from "./mesh-timeout/policy.ts";
import { meshTls } from "./mesh-tls/policy.ts";
import { meshTrace } from "./mesh-trace/policy.ts";
import { meshTrafficPermission } from "./mesh-traffic-permission/policy.ts";

/** Every policy there is, in the order of their names. */
export const policies = [
  meshAccessLog,
  meshCircuitBreaker,
  meshExtAuthz,
  meshFaultInjection,
  meshGlobalRateLimit,
  meshHealthCheck,
  meshHttpRoute,
  meshJwt,
  meshLoadBalancingStrategy,
  meshMetric,
  meshOpa,
  meshPassthrough,
  meshProxyPatch,
  meshRateLimit,
  meshRetry,
  meshTcpRoute,
  meshTimeout,
  meshTls,
  meshTrace,
  meshTrafficPermission,
] as const;
