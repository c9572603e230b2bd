import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { accessLogPipe } from "@heddle/model/access-log-pipe.ts";
import type { ProxyName } from "../dataplane/load-dataplane.ts";
import type { WorkDir } from "./work-dir.ts";

/** Makes the pipe into which Envoy writes access logs for TCP; undefined where the system has no such pipes. */
export async function makeAccessLogPipe({ path }: WorkDir, proxy: ProxyName): Promise<string | undefined> {
  const pipe = accessLogPipe(path, proxy);
  try {
    await rm(pipe, { force: true });
    await promisify(execFile)("mkfifo", ["-m", "600", pipe]);
    return pipe;
  } catch {
    return undefined;
  }
}
