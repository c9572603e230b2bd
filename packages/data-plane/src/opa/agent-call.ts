import { OPA_CLUSTER, OPA_SOCKET } from "@heddle/model/opa-agent.ts";

/** Envoy calls for an agent: it wants one at this socket. */
export interface AgentCall {
  readonly socket: string;
}

/** Reads a line of Envoy's log of health checks; undefined when it is another's, or no failure. */
export function agentCall(line: string): AgentCall | undefined {
  // Access logs come by the same pipe, and are many.
  if (!line.includes(OPA_CLUSTER)) return undefined;
  try {
    const event = JSON.parse(line) as HealthCheckEvent;
    const socket = event.host?.pipe?.path;
    if (event.cluster_name !== OPA_CLUSTER || socket?.endsWith(`/${OPA_SOCKET}`) !== true) return undefined;
    return { socket };
  } catch {
    return undefined;
  }
}

/** Of envoy.data.core.v3.HealthCheckEvent what is looked at. */
interface HealthCheckEvent {
  readonly cluster_name?: string;
  readonly host?: { readonly pipe?: { readonly path?: string } };
}
