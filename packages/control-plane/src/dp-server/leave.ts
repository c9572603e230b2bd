import { parseWith } from "@heddle/model/schema.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { NewResource } from "@heddle/model/resource.ts";
import { XdsRefusal } from "@heddle/xds/hooks.ts";
import { z } from "zod";
import type { Meshes } from "../mesh/meshes.ts";
import type { Progress } from "../mesh/progress.ts";
import type { Presence } from "../proxies/presence.ts";
import { noDataplane, sentence, type Sessions } from "../proxies/sessions.ts";

export interface LeaveOptions {
  readonly meshes: Meshes;
  readonly sessions: Sessions;
  readonly presence: Presence;
  readonly progress: Progress;
}

/** Longer than any healthy proxy takes to acknowledge; a stuck one must not keep others from stopping. */
const PATIENCE_MILLIS = 5_000;

const leaveSchema = z.looseObject({ mesh: z.string().min(1), name: z.string().min(1) });

/**
 * Answers `POST /drain`: a proxy says that it is about to stop. The answer comes when everybody who calls it has
 * acknowledged that it is gone, so that stopping then fails no request. Not part of Kuma's exchange.
 */
export async function announceLeave(
  { meshes, sessions, presence, progress }: LeaveOptions,
  body: unknown,
  authorization: string | undefined,
): Promise<{ status: number; contentType: string; body: string }> {
  const parsed = parseWith(leaveSchema, body);
  if (!parsed.ok) return text(400, sentence(parsed.violations));
  const { mesh, name } = parsed.value;
  const runtime = meshes.get(mesh);
  const entry = runtime?.snapshot.dataplanes.get(name);
  if (runtime === undefined || entry === undefined) return text(404, noDataplane(mesh, name));
  try {
    await sessions.check(entry.resource as NewResource<DataplaneSpec>, authorization?.replace(/^Bearer /i, ""));
  } catch (error) {
    if (error instanceof XdsRefusal) return text(401, error.message);
    throw error;
  }
  presence.leaving(mesh, name);
  const callers = [...runtime.proxies.values()].filter((proxy) => proxy.name !== name && !proxy.isSynced);
  const patience = AbortSignal.timeout(PATIENCE_MILLIS);
  // Who disconnected meanwhile holds nothing to wait for.
  const isWaiting = (): boolean =>
    callers.some((proxy) => !proxy.isSynced && runtime.proxies.get(proxy.name) === proxy);
  while (isWaiting() && !patience.aborted) await progress.wait(patience).catch(() => undefined);
  return text(200, isWaiting() ? "some callers have not answered yet" : "nobody sends new requests");
}

function text(status: number, message: string): { status: number; contentType: string; body: string } {
  return { status, contentType: "text/plain; charset=utf-8", body: `${message}\n` };
}
