import { number, type Json, record, records, text, texts } from "../json.ts";
import { type Api, pathOf } from "./api.ts";

/** How many proxies something has reached, and whom it has not. */
export interface Reach {
  readonly proxies: number;
  readonly reached: number;
  readonly waitingFor: readonly { readonly name: string; readonly reason: string }[];
}

/** A rotation of certificate authorities, and how far it is. */
export interface CaRotation {
  readonly mesh: string;
  readonly rotated: Json;
  readonly phase: string;
  readonly startedAt: string | undefined;
  readonly startedBy: string | undefined;
  readonly trust: Reach;
  readonly certificates: Reach;
  /** Proxies that hold a certificate of the old authority. */
  readonly holders: number;
  readonly trustedUntil: string | undefined;
  readonly isOldRemoved: boolean;
  readonly removeOld: boolean;
  readonly newRoots: readonly string[];
  readonly problem: string | undefined;
  readonly done: boolean;
  readonly timedOut: boolean;
  /** As the control plane wrote it. */
  readonly raw: Json;
}

export interface RotationPlace {
  readonly mesh: string;
  readonly identity: string | undefined;
}

export interface RotationWish {
  readonly to: string | undefined;
  readonly removeOld: boolean;
}

// The control plane ends the wait itself; this is for one that hangs.
const GRACE_MILLIS = 5_000;

/** Begins a rotation, or takes up the one that is under way. */
export async function startRotation(api: Api, place: RotationPlace, wish: RotationWish): Promise<CaRotation> {
  const answer = await api.json({
    method: "POST",
    path: pathOf("meshes", place.mesh, "ca-rotations"),
    body: { ...wish, identity: place.identity },
    action: `rotate the certificate authority of ${whose(place)}`,
    conflict: `See how far it is: heddle rotate ca --status${flagsOf(place)}`,
  });
  return parseRotation(answer);
}

/** The rotation that is under way, or the last one. */
export async function currentRotation(api: Api, place: RotationPlace): Promise<CaRotation> {
  const path = pathOf("meshes", place.mesh, "ca-rotations", "current");
  const query = { identity: place.identity };
  return parseRotation(await api.json({ path, query, action: `look up the rotation of ${whose(place)}` }));
}

/** Each state that a rotation goes through, until it is done or the time is over. */
export async function* followRotation(
  api: Api,
  place: RotationPlace,
  timeoutMillis: number,
): AsyncGenerator<CaRotation> {
  const lines = api.lines({
    path: pathOf("meshes", place.mesh, "ca-rotations", "current", "progress"),
    query: { identity: place.identity, timeout: `${Math.ceil(timeoutMillis)}ms` },
    action: `follow the rotation of ${whose(place)}`,
    timeoutMillis: timeoutMillis + GRACE_MILLIS,
  });
  for await (const line of lines) yield parseRotation(JSON.parse(line));
}

function parseRotation(answer: unknown): CaRotation {
  const raw = record(answer);
  const old = record(raw["old"]);
  return {
    mesh: text(raw["mesh"]) ?? "",
    rotated: record(raw["rotated"]),
    phase: text(raw["phase"]) ?? "",
    startedAt: text(raw["startedAt"]),
    startedBy: text(raw["startedBy"]),
    trust: parseReach(raw["trust"]),
    certificates: parseReach(raw["certificates"]),
    holders: number(old["holders"]) ?? 0,
    trustedUntil: text(old["trustedUntil"]),
    isOldRemoved: old["isRemoved"] === true,
    removeOld: raw["removeOld"] === true,
    newRoots: texts(record(raw["new"])["roots"]),
    problem: text(raw["problem"]),
    done: raw["done"] === true,
    timedOut: raw["timedOut"] === true,
    raw,
  };
}

function parseReach(value: unknown): Reach {
  const { proxies, reached, waitingFor } = record(value);
  return {
    proxies: number(proxies) ?? 0,
    reached: number(reached) ?? 0,
    waitingFor: records(waitingFor).map(({ name, reason }) => ({ name: text(name) ?? "", reason: text(reason) ?? "" })),
  };
}

/** The flags of `heddle rotate ca` that name a place. */
export function flagsOf({ mesh, identity }: RotationPlace): string {
  const ofMesh = mesh === "default" ? "" : ` --mesh ${mesh}`;
  return identity === undefined ? ofMesh : `${ofMesh} --identity ${identity}`;
}

function whose({ mesh, identity }: RotationPlace): string {
  return identity === undefined ? `mesh "${mesh}"` : `MeshIdentity "${identity}" of mesh "${mesh}"`;
}
