import { z } from "zod";
import { legacyKind, numbered, topOf } from "./legacy-kind.ts";
import { checkServerSide, connectionShape, rankOf, targetOf } from "./selector.ts";

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
    choice: "one",
    translate: ({ sources, destinations }, { name }) => ({
      policies: destinations.map((destination, index) => ({
        type: "MeshTrafficPermission",
        name: numbered(name, index),
        spec: {
          ...topOf(destination),
          from: sources.map((source) => ({ targetRef: targetOf(source), default: { action: "Allow" } })),
        },
        rank: rankOf(destination),
        itemRanks: sources.map(rankOf),
      })),
      notes: [],
    }),
  },
});
