import { stringify } from "yaml";
import type { Paint } from "../output/paint.ts";
import type { PlacedPolicy } from "./read-policies.ts";

/** Policies by the place of the proxy that they are in force at. */
export function renderPolicies(policies: readonly PlacedPolicy[], paint: Paint): string {
  if (policies.length === 0) return "No policy reaches this proxy";
  const places = Map.groupBy(policies, ({ place }) => place);
  return [...places]
    .map(([place, all]) => [paint("bold", place), ...all.flatMap((each) => policyLines(each, paint))].join("\n"))
    .join("\n\n");
}

function policyLines({ kind, conf, origins }: PlacedPolicy, paint: Paint): readonly string[] {
  const lines = stringify(conf ?? {}, { lineWidth: 0 })
    .trimEnd()
    .split("\n");
  return [
    `  ${paint("cyan", kind)}`,
    ...lines.map((line) => `    ${line}`),
    ...(origins.length === 0 ? [] : [paint("dim", `    from ${origins.join(", ")}`)]),
  ];
}
