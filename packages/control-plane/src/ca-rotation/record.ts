import { z } from "zod";
import type { Secrets } from "../secrets.ts";

const pem = z.string().min(1);
const time = z.string().min(1).optional();

/** What is replaced by what. */
const rotatedSchema = z.discriminatedUnion("what", [
  z.strictObject({ what: z.literal("root"), backend: z.string() }),
  z.strictObject({ what: z.literal("backend"), from: z.string(), to: z.string() }),
  z.strictObject({ what: z.literal("identity"), identity: z.string() }),
]);
export type Rotated = z.infer<typeof rotatedSchema>;

/**
 * Where a rotation is. "trusting": proxies get to know the new authority, the old one signs. "issuing": everybody trusts the
 * new one, which signs from now on. "withdrawing": nobody connected holds a certificate of the old one, which is trusted
 * for those who are away. "stopped": somebody decided otherwise meanwhile.
 */
const PHASES = ["trusting", "issuing", "withdrawing", "done", "stopped"] as const;
export type Phase = (typeof PHASES)[number];

const rotationSchema = z.strictObject({
  id: z.string(),
  rotated: rotatedSchema,
  phase: z.enum(PHASES),
  removeOld: z.boolean(),
  startedAt: z.string(),
  startedBy: z.string(),
  endedAt: time,
  reason: z.string().optional(),
  oldRoots: z.array(pem),
  newRoots: z.array(pem),
  /** The Secrets that hold the authority, where it is one that was made here. */
  pair: z.strictObject({ certificate: z.string(), key: z.string() }).optional(),
  /** The new authority, until those Secrets hold it. */
  next: z.strictObject({ certificatePem: pem, keyPem: pem }).optional(),
  /** Of a MeshIdentity: roots that sign no more, and until when they are trusted. */
  retired: z.array(z.strictObject({ pem, until: z.string() })).optional(),
  /** Since when nobody is known to hold a certificate of the old authority, which is to be removed. */
  freeSince: time,
});

/** A rotation as it is stored: every step is one write of it, and what a step does can be done again. */
export type CaRotation = z.infer<typeof rotationSchema>;

/** Of which authorities a rotation is: at most one of each runs at a time. */
export interface RotationPlace {
  readonly mesh: string;
  /** The MeshIdentity; absent for Mesh.mtls. */
  readonly identity?: string | undefined;
}

/** The Secret that holds the running rotation, or the last one. */
export function rotationSecretName({ mesh, identity }: RotationPlace): string {
  return identity === undefined ? prefixOf(mesh) : `${prefixOf(mesh)}.${identity}`;
}

/** Reads the rotation at a place; undefined when there never was one. Throws when the Secret holds something else. */
export async function readRotation(secrets: Secrets, place: RotationPlace): Promise<CaRotation | undefined> {
  const text = await secrets.read(place.mesh, rotationSecretName(place));
  return text === undefined ? undefined : parseRotation(text, place);
}

/** Stores a rotation in one write. */
export async function writeRotation(secrets: Secrets, place: RotationPlace, rotation: CaRotation): Promise<void> {
  await secrets.write(place.mesh, rotationSecretName(place), JSON.stringify(rotation));
}

/** Where a mesh has rotations, running or over. */
export async function rotationPlaces(secrets: Secrets, mesh: string): Promise<readonly RotationPlace[]> {
  const prefix = prefixOf(mesh);
  const names = [...(await secrets.list(mesh, prefix)).keys()];
  return names.map((name) => (name === prefix ? { mesh } : { mesh, identity: name.slice(prefix.length + 1) }));
}

function prefixOf(mesh: string): string {
  return `${mesh}.ca-rotation`;
}

function parseRotation(text: string, place: RotationPlace): CaRotation {
  const { mesh } = place;
  try {
    return rotationSchema.parse(JSON.parse(text));
  } catch {
    // The cause stays out of the message: it may quote the key.
    const fix = "restore it, or delete it if no rotation was running";
    throw new Error(`Cannot read secret "${rotationSecretName(place)}" of mesh "${mesh}": it is no rotation; ${fix}`);
  }
}
