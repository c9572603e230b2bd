import { request } from "node:http";
import type { AdminTarget } from "./read-bootstrap.ts";

/** Envoy's admin interface. Both reject when Envoy does not answer within the time limit. */
export interface AdminClient {
  get(path: string): Promise<AdminAnswer>;
  post(path: string): Promise<AdminAnswer>;
}

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 2_000;

/** Talks to the admin interface behind `target`, one short connection for each question. */
export function adminClient(target: AdminTarget, timeoutMs = TIMEOUT_MS): AdminClient {
  return {
    get: (path) => ask(target, "GET", path, timeoutMs),
    post: (path) => ask(target, "POST", path, timeoutMs),
  };
}

function ask(target: AdminTarget, method: string, path: string, timeoutMs: number): Promise<AdminAnswer> {
  const place = target.kind === "socket" ? { socketPath: target.path } : { host: target.address, port: target.port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...place, method, path, agent: false, signal: AbortSignal.timeout(timeoutMs) });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    sent.end();
  });
}
