import { setTimeout as sleep } from "node:timers/promises";
import { type AdminClient, adminClient } from "../envoy/admin-client.ts";
import type { LaunchPlan } from "../launch/launch-plan.ts";
import type { Log } from "../log.ts";

const POLL_MS = 100;
const PATIENCE_MS = 15_000;
const COUNTERS = [
  "listener_manager.total_listeners_active",
  "cluster_manager.active_clusters",
  "listener_manager.lds.update_rejected",
  "cluster_manager.cds.update_rejected",
] as const;

/** Says when Envoy has its configuration and serves, or why that takes so long. Ends early when Envoy does. */
export async function reportStart(plan: LaunchPlan, alive: () => boolean, log: Log): Promise<void> {
  const admin = adminClient(plan.admin);
  const startedAt = performance.now();
  while (alive()) {
    const waited = performance.now() - startedAt;
    if (await isReady(admin)) return sayReady(plan, admin, log);
    if (waited > PATIENCE_MS) {
      log(
        "warning",
        `Envoy runs but has no configuration from ${plan.controlPlane.url} yet: its own lines above say why, such as a refused token`,
      );
      return;
    }
    await sleep(POLL_MS);
  }
}

async function isReady(admin: AdminClient): Promise<boolean> {
  return admin.get("/ready").then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function sayReady(plan: LaunchPlan, admin: AdminClient, log: Log): Promise<void> {
  const stats = await readCounters(admin);
  const [listeners = 0, clusters = 0, ...rejected] = COUNTERS.map((name) => stats.get(name));
  const { mesh, name } = plan.proxy;
  log(
    "info",
    `Ready: Envoy ${plan.envoy.version} serves ${name} of mesh ${mesh} (${listeners} listeners, ${clusters} clusters)`,
  );
  if (rejected.some((count = 0) => count > 0)) {
    log("warning", `Envoy refused a part of its configuration; why: heddle inspect dataplane ${name} --mesh ${mesh}`);
  }
}

async function readCounters(admin: AdminClient): Promise<ReadonlyMap<string, number>> {
  const names = COUNTERS.join("|").replaceAll(".", String.raw`\.`);
  const { text } = await admin.get(`/stats?filter=${encodeURIComponent(`^(${names})$`)}`).catch(() => ({ text: "" }));
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name, value] = /^(\S+): (\d+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)] as const];
    }),
  );
}
