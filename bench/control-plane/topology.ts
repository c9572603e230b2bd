import { randomNumbers, range } from "../support/random.ts";

/** How large a mesh is. */
export interface Size {
  readonly services: number;
  readonly instancesOfEach: number;
  /** A service calls one to so many others. */
  readonly mostCalls: number;
}

/** A service calls 10 others in the mean. */
const USUAL: Size = { services: 1_000, instancesOfEach: 2, mostCalls: 19 };
const SEED = 20_261_123;
/** Where each instance's proxy takes requests, at an address of its own. */
export const INBOUND_PORT = 15_080;

/** One instance with its sidecar, as a user would write it. */
export interface Instance {
  readonly name: string;
  readonly service: number;
  readonly address: string;
  /** Services it calls, by number. */
  readonly calls: readonly number[];
  /** The Dataplane; `state` is whether the application says it is ready. */
  document(state: "Ready" | "NotReady"): object;
}

export interface Topology {
  readonly services: readonly { readonly name: string; readonly document: object }[];
  /** Instances in the order of a walk along the calls, so that the first few call each other. */
  readonly instances: readonly Instance[];
}

/** 1,000 services of two instances in a random graph of calls, the same in each run; outbounds name what is called. */
export function topology(size: Partial<Size> = {}): Topology {
  const { services: count, instancesOfEach, mostCalls } = { ...USUAL, ...size };
  const calls = graph(count, mostCalls);
  const services = range(count).map((index) => ({ name: serviceName(index), document: service(index) }));
  const instances = walk(calls).flatMap((index) =>
    range(instancesOfEach).map((number) => instance(index, number, calls[index] ?? [])),
  );
  return { services, instances };
}

/** The number of the service that a resource's name is about; undefined for others. */
export function serviceOf(resource: string): number | undefined {
  const known = numbers.get(resource);
  if (known !== undefined) return known;
  const digits = /service-(\d+)/.exec(resource)?.[1];
  if (digits === undefined) return undefined;
  numbers.set(resource, Number(digits));
  return Number(digits);
}

const numbers = new Map<string, number>();

function graph(services: number, mostCalls: number): readonly (readonly number[])[] {
  const random = randomNumbers(SEED);
  return range(services).map((caller) => {
    const callees = new Set<number>();
    const wanted = 1 + random(mostCalls);
    while (callees.size < wanted) {
      const callee = random(services);
      if (callee !== caller) callees.add(callee);
    }
    return [...callees];
  });
}

function walk(calls: readonly (readonly number[])[]): readonly number[] {
  const seen = new Set([0]);
  for (const index of seen) for (const callee of calls[index] ?? []) seen.add(callee);
  for (const index of range(calls.length)) seen.add(index);
  return [...seen];
}

function serviceName(index: number): string {
  return `service-${index}`;
}

function service(index: number): object {
  const name = serviceName(index);
  return {
    type: "MeshService",
    mesh: "default",
    name,
    spec: {
      selector: { dataplaneLabels: { matchLabels: { app: name } } },
      ports: [{ port: 80, targetPort: INBOUND_PORT, appProtocol: "http" }],
    },
  };
}

function instance(index: number, number: number, calls: readonly number[]): Instance {
  const app = serviceName(index);
  const name = `${app}-${number}`;
  // A loopback address each: whoever looks whether the instance is there finds nobody, and leaves this machine never.
  const address = `127.${number + 1}.${index >> 8}.${index & 255}`;
  const outbound = calls.map((callee) => ({
    // One port for a service wherever it is called from, as virtual IPs give it: listeners are then the same everywhere.
    port: 20_000 + callee,
    backendRef: { kind: "MeshService", name: serviceName(callee), port: 80 },
  }));
  const document = (state: "Ready" | "NotReady"): object => ({
    type: "Dataplane",
    mesh: "default",
    name,
    labels: { app, "kuma.io/workload": app },
    networking: {
      address,
      inbound: [{ port: INBOUND_PORT, servicePort: 18_080, protocol: "http", state }],
      outbound,
    },
  });
  return { name, service: index, address, calls, document };
}
