import { readFile } from "node:fs/promises";
import type { BootstrapRequest } from "../control-plane/bootstrap-request.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import type { ProxyName } from "../dataplane/load-dataplane.ts";
import type { AdminTarget } from "../envoy/read-bootstrap.ts";
import type { LogFormat } from "../log.ts";
import { FILES, type WorkDir, writePrivate } from "./work-dir.ts";

/**
 * Everything that keeps a proxy running, as data: it outlives the process that made it, in a file that the short-lived
 * helpers read. It may hold the token, so only its user may read the file.
 */
export interface LaunchPlan {
  readonly proxy: ProxyName;
  readonly workDir: WorkDir;
  readonly envoy: { readonly path: string; readonly version: string; readonly arguments: readonly string[] };
  readonly admin: AdminTarget;
  readonly controlPlane: ControlPlane;
  /** What the bootstrap was asked for with, to ask again. */
  readonly request: BootstrapRequest;
  /** File of the token, which may have been renewed since. */
  readonly tokenFile?: string;
  /** How often to look for a renewed one. */
  readonly tokenCheckMs: number;
  /** Where Envoy writes access logs for TCP. */
  readonly accessLogPipe?: string;
  readonly drainTimeMs: number;
  readonly logFormat: LogFormat;
}

/** Writes the plan into its work directory and gives the path. */
export function writePlan(plan: LaunchPlan): Promise<string> {
  return writePrivate(plan.workDir, FILES.plan, JSON.stringify(plan));
}

/** Reads a plan that `writePlan` wrote. */
export async function readPlan(path: string): Promise<LaunchPlan> {
  return JSON.parse(await readFile(path, "utf8")) as LaunchPlan;
}

/** The token as it is now: that of the file, else that of the first request; undefined when there is none. */
export async function currentToken(plan: LaunchPlan): Promise<string | undefined> {
  const fresh = plan.tokenFile === undefined ? "" : await readFile(plan.tokenFile, "utf8").catch(() => "");
  const first = plan.request["dataplaneToken"];
  return fresh.trim() || (typeof first === "string" ? first : undefined);
}
