import { contentHash } from "@heddle/model/canonical-json.ts";
import { enabledBackend } from "@heddle/model/kinds/mesh.ts";
import { certificateReach } from "./holders.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import type { CaRotation, Phase } from "./record.ts";

/**
 * The replacement of a root that nobody asked Heddle for: it was changed where it comes from, in Vault, a file or a Secret.
 * What is known of it is that an earlier root of the enabled backend is trusted still. Undefined when there is none, or
 * when that is what the last rotation left behind.
 */
export function observedRotation(
  { authorities }: Pick<RotationOptions, "authorities">,
  { place, runtime }: RotatedMesh,
  last: CaRotation | undefined,
): CaRotation | undefined {
  const enabled = enabledBackend(runtime.snapshot.mesh.spec);
  if (place.identity !== undefined || enabled === undefined) return undefined;
  const facts = authorities.describe(place.mesh).find(({ name }) => name === enabled.name);
  const newRoots = (facts?.roots ?? []).flatMap(({ pem, until }) => (until === undefined ? [pem] : []));
  const old = (facts?.roots ?? []).flatMap(({ pem, until }) => (until === undefined ? [] : [{ pem, until }]));
  const [first] = old.toSorted((a, b) => b.until.getTime() - a.until.getTime());
  if (facts === undefined || first === undefined || last?.newRoots.join("") === newRoots.join("")) return undefined;
  const rotated = { what: "root", backend: enabled.name } as const;
  return {
    id: contentHash([first.pem, newRoots]),
    rotated,
    phase: phaseOf({ place, runtime }, rotated, newRoots),
    removeOld: false,
    startedAt: new Date(first.until.getTime() - facts.certificateMillis).toISOString(),
    startedBy: "",
    oldRoots: old.map(({ pem }) => pem),
    newRoots,
  };
}

function phaseOf({ runtime }: RotatedMesh, rotated: CaRotation["rotated"], newRoots: readonly string[]): Phase {
  if (certificateReach(runtime, rotated, newRoots).behind.length === 0) return "withdrawing";
  return [...runtime.behindInTrust()].length > 0 ? "trusting" : "issuing";
}
