import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Figures } from "./figures.ts";
import { type Fleet, resourcesOf } from "./fleet.ts";
import type { Server } from "./server.ts";
import type { Instance } from "./topology.ts";

const POLICY_ROUNDS = 5;
const ONE_PROXY_ROUNDS = 20;

/** How long timeouts of all proxies and of one take to be acknowledged: of routes and of clusters. */
export async function policyFigures(server: Server, fleet: Fleet): Promise<Figures["policies"]> {
  await server.eventLoopDelay();
  const calls = ({ calls: { length } }: Instance): number => length;
  const routes = resourcesOf(TYPE_URL.route);
  const toAll = (seconds: number): object => ({
    to: [{ targetRef: { kind: "Mesh" }, default: { http: { requestTimeout: `${seconds}s` } } }],
  });
  const outbound = await policyRounds(server, fleet, POLICY_ROUNDS, (round) => ({
    policy: timeout("outbound", toAll(20 + round)),
    done: fleet.wave(calls, routes),
  }));
  const inbound = await policyRounds(server, fleet, POLICY_ROUNDS, (round) => ({
    policy: timeout("inbound", { rules: [{ default: { http: { requestTimeout: `${40 + round}s` } } }] }),
    done: fleet.wave(() => 1, routes),
  }));
  const clusters = await policyRounds(server, fleet, POLICY_ROUNDS, (round) => ({
    policy: timeout("clusters", {
      to: [{ targetRef: { kind: "Mesh" }, default: { connectionTimeout: `${6 + round}s` } }],
    }),
    done: fleet.wave(calls, resourcesOf(TYPE_URL.cluster)),
  }));
  const eventLoopP99 = await server.eventLoopDelay();
  const one = await policyRounds(server, fleet, ONE_PROXY_ROUNDS, (round) => {
    const name = fleet.members[round % fleet.members.length]?.instance.name ?? "";
    const targetRef = { kind: "Dataplane", name };
    const expected = (instance: Instance): number => (instance.name === name ? instance.calls.length : 0);
    return {
      policy: timeout(`only-${name}`, { targetRef, ...toAll(100 + round) }),
      done: fleet.wave(expected, routes),
    };
  });
  return { outbound, inbound, clusters, one, eventLoopP99 };
}

interface Round {
  readonly policy: { readonly name: string };
  readonly done: Promise<readonly number[]>;
}

/** From the user's write until the last proxy has acknowledged, milliseconds of each round. */
async function policyRounds(
  server: Server,
  fleet: Fleet,
  rounds: number,
  prepare: (round: number) => Round,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { policy, done } = prepare(round);
    const started = performance.now();
    const [acknowledged] = await Promise.all([
      done,
      server.api.put(`/meshes/default/meshtimeouts/${policy.name}`, policy),
    ]);
    times.push((acknowledged.at(-1) ?? started) - started);
    await fleet.quiet(rounds > POLICY_ROUNDS ? 150 : 700);
  }
  return times;
}

function timeout(name: string, spec: object): { readonly name: string } {
  const resource = { type: "MeshTimeout", mesh: "default", name, spec };
  return resource;
}
