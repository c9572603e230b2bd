import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

const TOOLS = join(import.meta.dirname, "../../.tools");
const FETCHED = join(TOOLS, "prometheus");
const run = promisify(execFile);

/** A metric as Prometheus has it: its labels with its name as `__name__`, and its value now. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus that asks some ports every half second. */
export interface Prometheus {
  /** What an expression in its language gives now. */
  query(expression: string): Promise<readonly Sample[]>;
}

/** A job of Prometheus, in the words of its configuration. */
export type ScrapeJob = Readonly<Record<string, unknown>>;

/** Starts a real Prometheus with these jobs; ends with the test. */
export async function startPrometheus(t: TestContext, jobs: readonly ScrapeJob[]): Promise<Prometheus> {
  const program = await prometheusProgram();
  await mkdir(TOOLS, { recursive: true });
  const folder = await mkdtemp(join(TOOLS, "prometheus-data-"));
  const file = join(folder, "prometheus.json");
  const global = { scrape_interval: "500ms", scrape_timeout: "500ms" };
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ global, scrape_configs: jobs }));
  const [port = 0] = await freePorts(1);
  const at = `127.0.0.1:${port}`;
  const options = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${at}`];
  const child = spawn(program, options, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${output}`);
    if (!(await fetch(`http://${at}/-/ready`)).ok) throw new Error(`Prometheus is not ready:\n${output}`);
  }, 20_000);
  return {
    query: async (expression) => {
      const response = await fetch(`http://${at}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data, error } = (await response.json()) as Answer;
      if (data === undefined) throw new Error(`Prometheus cannot answer ${expression}: ${error}`);
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
  };
}

interface Answer {
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

/**
 * Prometheus of this machine, else Debian's package, unpacked where set-up keeps its tools: that needs no root. Fails
 * with what to do where there is neither.
 */
async function prometheusProgram(): Promise<string> {
  const named = process.env["HEDDLE_PROMETHEUS"];
  if (named !== undefined) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const installed = folders.map((folder) => join(folder, "prometheus")).find((path) => existsSync(path));
  const program = installed ?? join(FETCHED, "usr/bin/prometheus");
  if (!existsSync(program)) await fetchPrometheus();
  await access(program, constants.X_OK);
  return program;
}

async function fetchPrometheus(): Promise<void> {
  await mkdir(TOOLS, { recursive: true });
  const folder = await mkdtemp(join(TOOLS, "unfinished-prometheus-"));
  try {
    await download(folder);
    await run("sh", ["-c", "dpkg-deb -x prometheus_*.deb whole"], { cwd: folder });
    // Two tests may fetch at the same time: whoever comes second finds it there.
    await rename(join(folder, "whole"), FETCHED).catch((cause: unknown) => {
      if (!existsSync(FETCHED)) throw cause;
    });
  } catch (cause) {
    throw new Error(
      "Cannot fetch Prometheus with apt-get; install it (Debian and Ubuntu: apt install prometheus), or name its program in HEDDLE_PROMETHEUS",
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** With the machine's lists of packages, else with fresh ones in the folder: machines made for one task often have none. */
async function download(folder: string): Promise<void> {
  const get = ["download", "prometheus"];
  try {
    await run("apt-get", get, { cwd: folder, timeout: 60_000 });
  } catch {
    const own = ["-o", `Dir::State::lists=${folder}/lists`, "-o", `Dir::Cache=${folder}/cache`];
    await mkdir(join(folder, "lists/partial"), { recursive: true });
    await mkdir(join(folder, "cache/archives/partial"), { recursive: true });
    await run("apt-get", [...own, "update"], { cwd: folder, timeout: 120_000 });
    await run("apt-get", [...own, ...get], { cwd: folder, timeout: 60_000 });
  }
}
