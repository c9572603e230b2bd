import { readdir, readFile } from "node:fs/promises";
import type { Mesh } from "./lab.ts";

/** Processes whose command line holds a text, such as the path of a sidecar's bootstrap. */
export async function processesWith(text: string): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return command.includes(text) ? [{ pid, command: command.replaceAll("\0", " ") }] : [];
    }),
  );
  return found.flat().filter(({ pid }) => pid !== process.pid);
}

/** The process of a sidecar's Envoy, found by the folder that its proxy reported. */
export async function envoyOf(lab: Mesh, dataplane: string): Promise<number> {
  const workdir = await workdirOf(lab, dataplane);
  const [envoy] = (await processesWith(workdir)).filter(({ command }) => command.includes("--config-path"));
  if (envoy === undefined) throw new Error(`no Envoy runs in ${workdir}`);
  return envoy.pid;
}

/** Kills a sidecar as a power cut would: Envoy and its supervisor at once. */
export async function killSidecar(lab: Mesh, dataplane: string): Promise<void> {
  const workdir = await workdirOf(lab, dataplane);
  const processes = await processesWith(workdir);
  // Supervisors first, so that none starts Envoy again.
  for (const { pid } of processes.toSorted(
    (a, b) => Number(a.command.includes("--config-path")) - Number(b.command.includes("--config-path")),
  )) {
    process.kill(pid, "SIGKILL");
  }
}

async function workdirOf(lab: Mesh, dataplane: string): Promise<string> {
  const insight = (await lab.get(`/meshes/default/dataplanes/${dataplane}/_overview`)) as {
    dataplaneInsight?: { metadata?: { workdir?: string } };
  };
  const workdir = insight.dataplaneInsight?.metadata?.workdir;
  if (workdir === undefined)
    throw new Error(`the insight of ${dataplane} names no work folder: ${JSON.stringify(insight)}`);
  return workdir;
}
