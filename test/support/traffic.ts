import { Agent, request } from "node:http";
import type { Ending } from "./lab.ts";

/** An answer to one request; status 0 when there was none, with the reason in the body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

interface Question {
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

/** One request over loopback, with a kept connection as real clients have. */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  return await send(url, question, agent);
}

/** The same over a connection of its own, which meets the listener as it is now. */
export async function askAnew(url: string, question: Question = {}): Promise<Answer> {
  return await send(url, question, false);
}

async function send(url: string, { headers = {}, method = "GET" }: Question, by: Agent | false): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const call = request(url, { agent: by, headers, method, timeout: 20_000 }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    response.once("error", (error) => resolve(failed(error)));
  });
  call.once("timeout", () => call.destroy(new Error("no answer within 20 s")));
  call.once("error", (error) => resolve(failed(error)));
  call.end();
  return await promise;
}

function failed(error: Error): Answer {
  return { status: 0, headers: {}, body: error.message };
}

/** What a stream of requests came to. */
export interface Tally {
  readonly total: number;
  readonly failures: readonly string[];
  readonly byBody: ReadonlyMap<string, number>;
}

/** Sends requests at a steady rate, whatever becomes of them, until `stop` is called or the test ends: then tells what came back. */
export function steadyTraffic(t: Ending, url: string, perSecond: number): { stop: () => Promise<Tally> } {
  const pending = new Set<Promise<void>>();
  const failures: string[] = [];
  const byBody = new Map<string, number>();
  let total = 0;
  const send = async (): Promise<void> => {
    total += 1;
    const at = Date.now();
    const { status, body } = await ask(url);
    if (status === 200) byBody.set(body, (byBody.get(body) ?? 0) + 1);
    else failures.push(`${new Date(at).toISOString()} status ${status}: ${body.slice(0, 120)}`);
  };
  const timer = setInterval(() => {
    const call = send();
    pending.add(call);
    void call.finally(() => pending.delete(call));
  }, 1_000 / perSecond);
  // A test that fails in between must not be kept alive by its traffic.
  t.after(() => clearInterval(timer));
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      return { total, failures, byBody };
    },
  };
}
