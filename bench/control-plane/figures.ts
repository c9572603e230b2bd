import type { Received } from "./fleet.ts";

/** What one size of the benchmark gave. Times in milliseconds, memory in megabytes, shares of a core in percent. */
export interface Figures {
  readonly proxies: number;
  /** Resources written over REST a second, each on disk when it is answered. */
  readonly writes: number;
  readonly deploy: {
    readonly connectedMillis: number;
    /** Every proxy holds everything. */
    readonly completeMillis: number;
    /** Nothing more came: endpoints of the last ones have reached everybody. */
    readonly quietMillis: number;
    readonly cpuSeconds: number;
    readonly eventLoopP99: number;
    readonly received: Received;
  };
  readonly memory: {
    readonly empty: number;
    readonly deployed: number;
    readonly end: number;
    readonly peak: number;
    readonly ofProxy: number;
  };
  readonly idleCpu: number;
  readonly policies: {
    /** A timeout of all outbounds: ten routes a proxy. */
    readonly outbound: readonly number[];
    /** A timeout of all inbounds: a route a proxy. */
    readonly inbound: readonly number[];
    /** A connection timeout: ten clusters a proxy, with their endpoints again. */
    readonly clusters: readonly number[];
    /** A timeout of one proxy's outbounds. */
    readonly one: readonly number[];
    readonly eventLoopP99: number;
  };
  readonly endpoints: {
    readonly idle: readonly number[];
    readonly churn: readonly number[];
    /** Mean number of proxies that call a service. */
    readonly consumers: number;
    readonly idleEventLoopP99: number;
    readonly churnEventLoopP99: number;
    readonly churnCpu: number;
  };
  readonly authority: {
    readonly millis: number;
    readonly quietMillis: number;
    readonly cpuSeconds: number;
    readonly eventLoopP99: number;
  };
  readonly restart: {
    readonly upMillis: number;
    readonly connectedMillis: number;
    readonly syncedMillis: number;
    readonly quietMillis: number;
    readonly eventLoopP99: number;
    readonly cpuSeconds: number;
    readonly received: Received;
  };
}
