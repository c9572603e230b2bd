import { policyKind } from "@heddle/model/policy-kind.ts";
import type { TargetKind } from "@heddle/model/target-ref.ts";
import { z } from "zod";
import { definePolicy, type Policy } from "../policy.ts";

const TARGETS: readonly TargetKind[] = [
  "Mesh",
  "Dataplane",
  "MeshSubset",
  "MeshService",
  "MeshServiceSubset",
  "MeshHTTPRoute",
];
const DESTINATIONS: readonly TargetKind[] = ["Mesh", "MeshService", "MeshHTTPRoute"];

interface LimitConf {
  readonly timeout?: number;
  readonly connectTimeout?: number;
}

/** A policy for tests of the engine: says how long requests and connections may take, in milliseconds. */
export function limitPolicy(type: string): Policy {
  const item = z.strictObject({ default: z.strictObject({ timeout: z.int(), connectTimeout: z.int() }).partial() });
  const change = ({ timeout, connectTimeout }: LimitConf) => ({ route: { timeout }, cluster: { connectTimeout } });
  return definePolicy<LimitConf, LimitConf>({
    kind: policyKind({
      type,
      path: `${type.toLowerCase()}s`,
      shortName: type.toLowerCase(),
      singular: type,
      plural: `${type}s`,
      targets: TARGETS,
      to: { targets: DESTINATIONS, item },
      rules: { matches: true, item },
    }),
    outbound: change,
    inbound: ({ everyone }) => change(everyone?.value ?? {}),
  });
}
