import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");

/** A control plane in a process of its own, which can be killed and started again over the same store and ports. */
export class ControlPlaneProcess {
  readonly apiUrl: string;
  readonly dpPort: number;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(
    folder: string,
    [api = 0, dp = 0, diagnostics = 0]: readonly number[],
    more: Readonly<Record<string, string>> = {},
  ) {
    this.#folder = folder;
    this.apiUrl = `http://127.0.0.1:${api}`;
    this.dpPort = dp;
    this.#env = {
      KUMA_API_SERVER_HTTP_PORT: String(api),
      KUMA_API_SERVER_HTTPS_ENABLED: "false",
      KUMA_DP_SERVER_PORT: String(dp),
      KUMA_DIAGNOSTICS_SERVER_PORT: String(diagnostics),
      KUMA_RATE_LIMIT_PORT: "0",
      KUMA_MONITORING_ASSIGNMENT_SERVER_PORT: "0",
      HEDDLE_DATA: join(folder, "data"),
      HEDDLE_XDS_SERVER_DATAPLANE_STATUS_FLUSH_INTERVAL: "50ms",
      ...more,
    };
  }

  /** Of the process that runs, or ran last; 0 before the first. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Whether the one that was started last runs no more. */
  get hasEnded(): boolean {
    return this.#child !== undefined && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }

  get output(): string {
    return this.#output;
  }

  /** What proxies have to trust; written once the API answers. */
  async caPem(): Promise<string> {
    return await eventually(async () => await readFile(join(this.#folder, "data", "ca.pem"), "utf8"));
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, "cp", "run"], {
      env: { ...process.env, ...this.#env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.#child = child;
    await eventually(async () => {
      assert.equal(child.exitCode, null, `the control plane ended:\n${this.#output}`);
      const response = await fetch(this.apiUrl).catch(() => undefined);
      assert.ok(response?.ok, `the control plane does not answer yet:\n${this.#output}`);
    }, 60_000);
  }

  /** Ends it without a chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once("exit", () => resolve());
    child.kill(signal);
    await promise;
  }
}

/** Starts a control plane process that ends with the test. */
export async function controlPlaneProcess(t: TestContext, folder: string): Promise<ControlPlaneProcess> {
  const controlPlane = new ControlPlaneProcess(folder, await freePorts(3));
  t.after(() => controlPlane.kill());
  await controlPlane.start();
  return controlPlane;
}
