import { parseDuration } from "@heddle/model/duration.ts";
import { parseWith } from "@heddle/model/schema.ts";
import { z } from "zod";
import type { Context } from "../context.ts";
import { ApiError, invalid, notFound } from "../http/api-error.ts";
import { type ApiRequest, ok, param, type Route } from "../http/route.ts";
import type { CaRotationPlace, CaRotations } from "../ports.ts";
import { requireMesh } from "../resources/find.ts";

const LONGEST = 600_000;
const PATH = "/meshes/{mesh}/ca-rotations";
const ANSWER =
  "{id, rotated, phase, trust, certificates, old, new, done, problem?}: who is waited for is in waitingFor";

const wishSchema = z.strictObject({
  to: z
    .string()
    .min(1)
    .optional()
    .describe("Backend of the mesh that shall sign; unset: a new root for the one that signs"),
  identity: z.string().min(1).optional().describe("A new root for this MeshIdentity, not for Mesh.mtls"),
  removeOld: z.boolean().optional().describe("Take the old one away once no certificate of it is known any more"),
});

const IDENTITY = { name: "identity", description: "The MeshIdentity; Mesh.mtls when unset" };

/** Replacing certificate authorities, and looking how far that is. */
export function caRotationRoutes(context: Context): readonly Route[] {
  return [startRoute(context), currentRoute(context), progressRoute(context)];
}

function startRoute({ ports, settings }: Context): Route {
  return {
    method: "POST",
    path: PATH,
    title: "Could not rotate a certificate authority",
    needs: "rotateCa",
    doc: {
      summary: "Rotate a certificate authority; takes up the same rotation when it is under way",
      tag: "Certificate authorities",
      body: z.toJSONSchema(wishSchema, { io: "input" }),
      answer: ANSWER,
    },
    handle: async (request) => {
      const parsed = parseWith(wishSchema, request.body ?? {});
      if (!parsed.ok) throw invalid(parsed.violations, "Invalid rotation");
      const { to, identity, removeOld = false } = parsed.value;
      if (to !== undefined && identity !== undefined)
        throw invalid(
          [{ field: "to", message: "must not be set with identity: that has one authority" }],
          "Invalid rotation",
        );
      if (settings.readOnly)
        throw new ApiError(405, "Cannot write here: apiServer.readOnly is true; rotate where the mesh is kept");
      const mesh = await meshOf(request, ports.store);
      const rotations = required(ports.caRotations);
      return ok(await rotations.start({ mesh, identity }, { to, removeOld }, request.user.name).catch(refuse));
    },
  };
}

function currentRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: `${PATH}/current`,
    title: "Could not look up a rotation",
    needs: "read",
    doc: {
      summary: "The rotation that is under way, or the last one",
      tag: "Certificate authorities",
      query: [IDENTITY],
      answer: ANSWER,
    },
    handle: async (request) => {
      const place = await placeOf(request, ports.store);
      return ok(required(ports.caRotations).current(place) ?? neverRotated(place));
    },
  };
}

function progressRoute({ ports }: Context): Route {
  return {
    method: "GET",
    path: `${PATH}/current/progress`,
    title: "Could not follow a rotation",
    needs: "read",
    doc: {
      summary: "Follow a rotation: a line at each step, the last with done or timedOut",
      tag: "Certificate authorities",
      query: [IDENTITY, { name: "timeout", description: "Give up after this duration (1m; at most 10m)" }],
      answer: ANSWER,
      answerType: "application/x-ndjson",
    },
    handle: async (request) => {
      const timeout = parseDuration(request.query.get("timeout") ?? "1m", "timeout");
      if (!timeout.ok) throw invalid(timeout.violations, "Invalid query");
      const place = await placeOf(request, ports.store);
      const rotations = required(ports.caRotations);
      if (rotations.current(place) === undefined) neverRotated(place);
      const millis = Math.min(timeout.value, LONGEST);
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(millis)]);
      return { status: 200, lines: until(signal, rotations, place) };
    },
  };
}

/** Hands progress through; when the time is over before it is done, a last line says so. */
async function* until(signal: AbortSignal, rotations: CaRotations, place: CaRotationPlace): AsyncGenerator<object> {
  try {
    yield* rotations.follow(place, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    yield { ...rotations.current(place), timedOut: true };
  }
}

async function placeOf(request: ApiRequest, store: Context["ports"]["store"]): Promise<CaRotationPlace> {
  const identity = request.query.get("identity") ?? undefined;
  return { mesh: await meshOf(request, store), ...(identity === undefined ? {} : { identity }) };
}

async function meshOf(request: ApiRequest, store: Context["ports"]["store"]): Promise<string> {
  const mesh = param(request, "mesh");
  await requireMesh(store, mesh);
  return mesh;
}

function required(rotations: CaRotations | undefined): CaRotations {
  if (rotations === undefined)
    throw new ApiError(400, "Cannot rotate: this control plane has no certificate authorities");
  return rotations;
}

function neverRotated({ mesh, identity }: CaRotationPlace): never {
  const whose = identity === undefined ? `mesh "${mesh}"` : `MeshIdentity "${identity}" of mesh "${mesh}"`;
  throw notFound("current", `no certificate authority of ${whose} was ever rotated`);
}

/** What the control plane refuses is the caller's to know; everything else is a failure. */
function refuse(error: unknown): never {
  const { status, message } = error as { readonly status?: unknown; readonly message?: unknown };
  if (typeof status === "number" && typeof message === "string") throw new ApiError(status, message);
  throw error;
}
