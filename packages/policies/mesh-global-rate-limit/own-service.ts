/** The cluster under which proxies find the rate limit service of their control plane. */
export const OWN_SERVICE = "system_rate_limit";
