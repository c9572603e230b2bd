/** What many meshes have beside a permission: limits of time, retries, a circuit breaker and metrics; no access log. */
export const TYPICAL_POLICIES = [
  `type: MeshTimeout
mesh: default
name: typical
spec:
  to:
    - targetRef: { kind: Mesh }
      default: { connectionTimeout: 2s, idleTimeout: 10m, http: { requestTimeout: 15s, streamIdleTimeout: 5m } }
`,
  `type: MeshRetry
mesh: default
name: typical
spec:
  to:
    - targetRef: { kind: Mesh }
      default: { http: { numRetries: 3, backOff: { baseInterval: 25ms, maxInterval: 250ms }, retryOn: [GatewayError, ConnectFailure] } }
`,
  `type: MeshCircuitBreaker
mesh: default
name: typical
spec:
  to:
    - targetRef: { kind: Mesh }
      default:
        connectionLimits: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }
        outlierDetection: { interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 20, detectors: { totalFailures: { consecutive: 10 } } }
`,
  `type: MeshMetric
mesh: default
name: typical
spec: { default: { backends: [{ type: Prometheus, prometheus: { port: METRICS_PORT, path: /metrics } }] } }
`,
];
