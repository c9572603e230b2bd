import { setTimeout as sleep } from "node:timers/promises";
import type { AuditLog } from "@heddle/api/audit/record.ts";
import type { AuditBackend } from "../config/access-settings.ts";
import type { Config } from "../config/settings.ts";
import { openFileSink } from "./file-sink.ts";
import { otlpSink } from "./otlp-sink.ts";
import { AuditQueue, type Sink } from "./queue.ts";
import { tcpSink } from "./tcp-sink.ts";

export interface AuditLogOptions {
  readonly config: Pick<Config, "auditBackends" | "auditQueueSize" | "auditMaxWait">;
  readonly instance: string;
  readonly onProblem: (message: string, cause: unknown) => void;
}

/** Opens every backend; undefined when there is none. Throws when a file cannot be written: better no start than no audit. */
export async function openAuditLog(
  options: AuditLogOptions,
  stack: AsyncDisposableStack,
): Promise<AuditLog | undefined> {
  const { config, onProblem, instance } = options;
  const now = (): Date => new Date();
  const queues: AuditQueue[] = [];
  for (const backend of config.auditBackends) {
    const sink = await openSink(backend, instance, now);
    queues.push(stack.use(new AuditQueue({ sink, size: config.auditQueueSize, onProblem, now })));
  }
  if (queues.length === 0) return undefined;
  return {
    record: async (record) => {
      const line = JSON.stringify(record);
      const kept = Promise.all(queues.map((queue) => queue.push(line)));
      const patience = new AbortController();
      const waited = sleep(config.auditMaxWait, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([kept, waited]);
      patience.abort();
    },
  };
}

async function openSink(backend: AuditBackend, instance: string, now: () => Date): Promise<Sink> {
  switch (backend.type) {
    case "tcp":
      return tcpSink(backend.tcp.address);
    case "otlp":
      return otlpSink(backend.otlp.endpoint, instance);
    case "file":
      return await openFileSink(backend.file, now).catch((cause: unknown) => {
        const next = "correct kmesh.access.audit.backends";
        throw new Error(`Cannot open the audit log "${backend.file.path}": ${(cause as Error).message}; ${next}`, {
          cause,
        });
      });
  }
}
