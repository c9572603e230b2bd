import { execFile } from "node:child_process";
import { Agent, request } from "node:http";
import { promisify } from "node:util";
import { quantile } from "../support/statistics.ts";

/** What one round came to. Times in milliseconds. */
export interface Round {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const run = promisify(execFile);

/** Whether wrk is there; it takes less of the processor from those it measures than anything written for Node. */
export async function hasWrk(): Promise<boolean> {
  return await run("wrk", ["-v"]).then(
    () => true,
    // It prints its version and ends with 1.
    (error: { readonly stdout?: string }) => error.stdout?.startsWith("wrk") ?? false,
  );
}

/** As many requests as come back, over so many connections at once. */
export async function saturate(url: string, connections: number, seconds: number, wrk: boolean): Promise<Round> {
  return wrk ? await saturateByWrk(url, connections, seconds) : await saturateHere(url, connections, seconds);
}

/** Requests at a steady rate: how long one takes when nobody is at the limit. */
export async function steady(url: string, perSecond: number, seconds: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    const elapsed = performance.now() - started;
    if (elapsed >= seconds * 1_000) return resolve();
    while (pending.length < (elapsed / 1_000) * perSecond) pending.push(measure(url, agent, times));
  }, 1);
  await promise;
  clearInterval(timer);
  await Promise.all(pending);
  agent.destroy();
  return summary(times, performance.now() - started);
}

/** So many requests, one after the other, over one connection. */
export async function inTurn(url: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let sent = 0; sent < count; sent += 1) await measure(url, agent, []);
  agent.destroy();
}

async function saturateByWrk(url: string, connections: number, seconds: number): Promise<Round> {
  const { stdout } = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`Cannot measure ${url}: some requests failed\n${stdout}`);
  const time = (label: string): number => {
    const [, digits = "", unit = ""] = new RegExp(`${label}\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? [];
    return Number(digits) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? Number.NaN);
  };
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50: time("50%"),
    p99: time("99%"),
  };
}

async function saturateHere(url: string, connections: number, seconds: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - started < seconds * 1_000) await measure(url, agent, times);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return summary(times, performance.now() - started);
}

async function measure(url: string, agent: Agent, times: number[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const began = performance.now();
  const call = request(url, { agent }, (response) => {
    response.resume();
    response.once("end", () => {
      times.push(performance.now() - began);
      if (response.statusCode === 200) resolve();
      else reject(new Error(`Cannot measure ${url}: status ${response.statusCode}`));
    });
  });
  call.once("error", reject);
  call.end();
  await promise;
}

function summary(times: readonly number[], millis: number): Round {
  const requests = times.length;
  return { requests, perSecond: requests / (millis / 1_000), p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}
