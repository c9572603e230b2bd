import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "../control-plane/server.ts";
import { memoryOf, openFiles } from "../support/process-figures.ts";

/** What a control plane holds after its garbage was collected. Megabytes of a million bytes. */
export interface Footprint {
  readonly rss: number;
  readonly heap: number;
  readonly files: number;
  /** Sockets, timers and other things that libuv waits for. */
  readonly handles: number;
  readonly connected: number;
}

/** A control plane whose garbage can be collected from outside. */
export async function startMeasured(): Promise<Server> {
  const server = await Server.create({
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "collect-on-signal.ts")}`,
  });
  await server.start();
  return server;
}

/** Collects garbage and looks. */
export async function footprint(server: Server): Promise<Footprint> {
  process.kill(server.pid, "SIGUSR2");
  await sleep(1_500);
  const [heap = 0, handles = 0, connected = 0] = await server.metrics(
    "nodejs_heap_size_used_bytes",
    "nodejs_active_resources_total",
    "xds_streams_active",
  );
  const { rss } = await memoryOf(server.pid);
  return { rss, heap: heap / 1e6, files: await openFiles(server.pid), handles, connected };
}
