import type { CaRotation, Reach } from "../api/ca-rotation.ts";
import { text } from "../json.ts";
import type { Paint } from "./paint.ts";

/** Names that are told of those who are waited for; a mesh may have thousands. */
const MOST_NAMES = 10;

/** The line that changes while a rotation goes on. */
export function renderRotationProgress({ phase, trust, certificates, holders, problem }: CaRotation): string {
  switch (phase) {
    case "trusting":
      return `New authority trusted by ${share(trust)}${waits(trust, problem)}`;
    case "issuing":
      return `New certificates at ${share(certificates)}${waits(certificates, undefined)}`;
    default:
      return `Waiting until no certificate of the old authority is left (${holders})`;
  }
}

/** A rotation with what it has reached, and what it waits for. */
export function renderRotation(rotation: CaRotation, paint: Paint): string {
  const { phase, trust, certificates, startedAt, startedBy, problem, newRoots } = rotation;
  const isTrusted = phase !== "trusting" && phase !== "stopped";
  const isIssued = phase === "withdrawing" || phase === "done";
  const by = startedBy === undefined ? "replaced where it comes from" : `asked for by ${startedBy}`;
  return [
    `${title(rotation)}, ${by}${startedAt === undefined ? "" : ` at ${startedAt}`}`,
    ...newRoots.map((root) => `  new root      sha256 ${root}`),
    `  trust         ${mark(isTrusted, paint)} ${share(trust)} acknowledged it`,
    ...names(trust),
    `  certificates  ${mark(isIssued, paint)} ${share(certificates)} have a new one`,
    ...(isTrusted ? names(certificates) : []),
    `  old           ${oldOne(rotation, paint)}`,
    ...(problem === undefined || isIssued ? [] : [`  ${paint("yellow", "waits")}         ${problem}`]),
    ...next(rotation, paint),
  ].join("\n");
}

function title({ rotated, mesh }: CaRotation): string {
  switch (rotated["what"]) {
    case "backend":
      return `From "${text(rotated["from"])}" to "${text(rotated["to"])}" in mesh "${mesh}"`;
    case "identity":
      return `New root of MeshIdentity "${text(rotated["identity"])}" in mesh "${mesh}"`;
    default:
      return `New root of "${text(rotated["backend"])}" in mesh "${mesh}"`;
  }
}

function oldOne({ phase, isOldRemoved, trustedUntil, holders, rotated }: CaRotation, paint: Paint): string {
  const left = `${holders} ${holders === 1 ? "certificate" : "certificates"} of it left`;
  if (phase === "stopped") return "stays: the rotation was stopped";
  if (isOldRemoved) return `${mark(true, paint)} removed`;
  if (phase === "done") return `not used any more; "${text(rotated["from"])}" may be taken out of mtls.backends`;
  return trustedUntil === undefined ? left : `trusted until ${trustedUntil}; ${left}`;
}

function next({ phase, mesh }: CaRotation, paint: Paint): readonly string[] {
  if (phase !== "trusting") return [];
  const look = `heddle inspect dataplanes --mesh ${mesh}`;
  return [`  ${paint("cyan", "->")} A proxy that does not answer holds this up; restart or stop it: ${look}`];
}

function names({ waitingFor }: Reach): readonly string[] {
  const shown = waitingFor.slice(0, MOST_NAMES).map(({ name, reason }) => `                  ${name}: ${reason}`);
  const more = waitingFor.length - shown.length;
  return more > 0 ? [...shown, `                  and ${more} more`] : shown;
}

function waits({ waitingFor }: Reach, problem: string | undefined): string {
  const [first, ...others] = waitingFor;
  if (first === undefined) return problem === undefined ? "" : `; waiting: ${problem}`;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `, waiting for ${first.name}${more}`;
}

function share({ reached, proxies }: Reach): string {
  return `${reached}/${proxies} ${proxies === 1 ? "proxy" : "proxies"}`;
}

function mark(isThrough: boolean, paint: Paint): string {
  return isThrough ? paint("green", "done") : paint("yellow", "....");
}
