import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../test/support/free-ports.ts";
import { cpuSeconds, memoryOf } from "../support/process-figures.ts";
import { Rest } from "../support/rest.ts";

const HEDDLE = join(import.meta.dirname, "../../bin/heddle");
const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const PATIENCE = 20_000;
const EVENT_LOOP = "nodejs_eventloop_lag_p99_seconds";
const SYNCED = 'mesh_dataplanes{mesh="default",state="synced"}';

/** A control plane as users run it, in a process of its own: SQLite in a temporary folder, TLS and tokens as by default. */
export class Server {
  readonly api: Rest;
  readonly dpPort: number;
  readonly #folder: string;
  readonly #diagnostics: Rest;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  private constructor(
    folder: string,
    [api = 0, dp = 0, diagnostics = 0]: readonly number[],
    more: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.api = new Rest(`http://127.0.0.1:${api}`);
    this.#diagnostics = new Rest(`http://127.0.0.1:${diagnostics}`);
    this.dpPort = dp;
    this.#env = {
      KUMA_API_SERVER_HTTP_PORT: String(api),
      KUMA_API_SERVER_HTTPS_ENABLED: "false",
      KUMA_DP_SERVER_PORT: String(dp),
      KUMA_DIAGNOSTICS_SERVER_PORT: String(diagnostics),
      KUMA_MONITORING_ASSIGNMENT_SERVER_PORT: "0",
      KUMA_RATE_LIMIT_PORT: "0",
      HEDDLE_DATA: join(folder, "data"),
      HEDDLE_LOG_LEVEL: "warn",
      ...more,
    };
  }

  /** Prepares one, with more settings in its environment. */
  static async create(more: Readonly<Record<string, string>> = {}): Promise<Server> {
    return new Server(await mkdtemp(join(tmpdir(), "heddle-bench-")), await freePorts(3), more);
  }

  /** Starts it; resolves when it answers. `HEDDLE_BENCH_PROFILE` names a folder for a profile of its processor time. */
  async start(): Promise<void> {
    const folder = process.env["HEDDLE_BENCH_PROFILE"];
    // Node takes no profiling options from the environment, so then it is started without the script around it.
    const [command, words]: readonly [string, readonly string[]] =
      folder === undefined
        ? [HEDDLE, []]
        : [process.execPath, ["--cpu-prof", "--cpu-prof-dir", folder, "--heap-growing-percent=40", MAIN]];
    const child = spawn(command, [...words, "cp", "run"], {
      env: { ...process.env, ...this.#env },
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.#child = child;
    // Whatever becomes of the load, it leaves nothing behind.
    process.once("exit", () => {
      child.kill("SIGKILL");
      rmSync(this.#folder, { recursive: true, force: true });
    });
    const end = performance.now() + PATIENCE;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`Cannot start the control plane: it ended with ${child.exitCode}`);
      if (performance.now() > end) throw new Error(`Cannot start the control plane: no answer in ${PATIENCE} ms`);
      await sleep(10);
    }
  }

  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill(process.env["HEDDLE_BENCH_PROFILE"] === undefined ? "SIGKILL" : "SIGTERM");
    this.api.close();
    this.#diagnostics.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What clients have to trust. */
  async caPem(): Promise<string> {
    return await readFile(join(this.#folder, "data", "ca.pem"), "utf8");
  }

  get pid(): number {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error("Cannot look at the control plane: it was not started");
    return pid;
  }

  async cpuSeconds(): Promise<number> {
    return await cpuSeconds(this.pid);
  }

  async memory(): Promise<{ readonly rss: number; readonly peak: number }> {
    return await memoryOf(this.pid);
  }

  /**
   * Values of its own metrics by the starts of their lines. Reading resets the event loop's histogram, so a value of that
   * is one since the last reading.
   */
  async metrics(...lines: readonly string[]): Promise<readonly number[]> {
    const all = (await this.#diagnostics.get("/metrics")).split("\n");
    return lines.map((line) => {
      const found = all.find((each) => each.startsWith(`${line} `));
      return Number(found?.slice(line.length + 1) ?? Number.NaN);
    });
  }

  /** 99th percentile of the event loop's delay since the last reading, milliseconds. */
  async eventLoopDelay(): Promise<number> {
    const [seconds = Number.NaN] = await this.metrics(EVENT_LOOP);
    return seconds * 1_000;
  }

  /** How many proxies have all they should, and the event loop's delay as above. */
  async synced(): Promise<{ readonly proxies: number; readonly eventLoopP99: number }> {
    const [proxies = 0, seconds = 0] = await this.metrics(SYNCED, EVENT_LOOP);
    return { proxies, eventLoopP99: seconds * 1_000 };
  }

  async #answers(): Promise<boolean> {
    return await this.api.get("/").then(
      () => true,
      () => false,
    );
  }
}
