import { z } from "zod";
import { legacyKind, numbered, topOf } from "./legacy-kind.ts";
import { checkServerSide, connectionShape, rankOf, type Selector, targetOf } from "./selector.ts";

/** Kuma 2.x: who may call whom. */
export const trafficPermission = legacyKind({
  type: "TrafficPermission",
  path: "traffic-permissions",
  shortName: "tp",
  singular: "Traffic Permission",
  plural: "Traffic Permissions",
  schema: z.strictObject(connectionShape),
  check: checkServerSide,
  legacy: {
    becomes: ["MeshTrafficPermission"],
    side: "server",
    choice: "one",
    translate: ({ sources, destinations }, { name }) => ({
      policies: destinations.map((destination, index) => ({
        type: "MeshTrafficPermission",
        name: numbered(name, index),
        spec: { ...topOf(destination), from: itemsFor(sources) },
        rank: rankOf(destination),
        itemRanks: [],
      })),
      notes: [],
    }),
  },
});

// Who is not named may not, even where a more general policy lets everybody in. Later items win.
function itemsFor(sources: readonly Selector[]): readonly object[] {
  const refs = sources.map(targetOf);
  const everybody = refs.some(({ kind }) => kind === "Mesh");
  const allowed = refs.map((targetRef) => ({ targetRef, default: { action: "Allow" } }));
  return everybody ? allowed : [{ targetRef: { kind: "Mesh" }, default: { action: "Deny" } }, ...allowed];
}
