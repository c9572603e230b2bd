import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Envoy, findEnvoy } from "@heddle/envoy/find-envoy.ts";
import { type Build, bootstrapRequest } from "./control-plane/bootstrap-request.ts";
import { type ControlPlane, readControlPlane } from "./control-plane/control-plane.ts";
import { fetchBootstrap } from "./control-plane/exchange.ts";
import { checkToken, type DataplaneToken, loadToken } from "./dataplane/dataplane-token.ts";
import { listenAddresses } from "./dataplane/listen-addresses.ts";
import { type LoadedDataplane, loadDataplane } from "./dataplane/load-dataplane.ts";
import { envoyArguments } from "./envoy/envoy-arguments.ts";
import { readBootstrap } from "./envoy/read-bootstrap.ts";
import { makeAccessLogPipe } from "./launch/access-log-pipe.ts";
import { checkPorts } from "./launch/check-ports.ts";
import { chooseInspectPort } from "./launch/inspect-port.ts";
import { type LaunchPlan, writePlan } from "./launch/launch-plan.ts";
import { writeTokenFiles } from "./launch/token-files.ts";
import { FILES, openWorkDir, removeWorkDir, type WorkDir, writePrivate } from "./launch/work-dir.ts";
import { LaunchError } from "./launch-error.ts";
import { type Log, makeLog } from "./log.ts";
import type { DataplaneOptions } from "./options/settings.ts";
import { handOver } from "./supervise/hand-over.ts";

/** What the launcher takes from the process it runs in. */
export interface RunContext {
  /** Asks to stop; until Envoy runs that just ends the launch. */
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** Writes to standard output: the bootstrap of a dry run. */
  readonly print?: (text: string) => void;
  /** Writes a log line; default: standard error. */
  readonly note?: (line: string) => void;
  readonly build?: Build;
}

/** What is known before the control plane is asked. */
interface Preparation {
  readonly options: DataplaneOptions;
  readonly context: RunContext;
  readonly log: Log;
  readonly dataplane: LoadedDataplane;
  readonly token: DataplaneToken;
  readonly controlPlane: ControlPlane;
  readonly envoy: Envoy;
}

/**
 * `heddle dp run`: gets this proxy's bootstrap from the control plane and runs Envoy with it until asked to stop. Gives
 * the exit code, or never returns, because the process has become the shell that watches Envoy. Throws LaunchError.
 */
export async function runDataplane(options: DataplaneOptions, context: RunContext): Promise<number> {
  const log = makeLog(options.logFormat, context.note ?? ((line) => process.stderr.write(`${line}\n`)));
  try {
    const preparation = await prepare(options, context, log);
    const workDir = await openWorkDir(options.workDir);
    return await launch(preparation, workDir).catch(async (error: unknown) => {
      await removeWorkDir(workDir);
      throw error;
    });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    log("info", "Stopped before Envoy was started");
    return 0;
  }
}

/** Everything that can be found wrong without the control plane, in the order in which a user would look. */
async function prepare(options: DataplaneOptions, context: RunContext, log: Log): Promise<Preparation> {
  const controlPlane = await readControlPlane(options);
  if (controlPlane.trust.kind === "anyone") {
    log(
      "warning",
      `NOT VERIFYING who answers at ${controlPlane.url} (--skip-verify): whoever it is gets the token and rules this proxy`,
    );
  }
  const dataplane = await loadDataplane(options);
  const token = await loadToken(options);
  checkToken(token.token, dataplane, new Date());
  const envoy = await chooseEnvoy(options.binaryPath, context.env ?? process.env);
  if (!envoy.supported)
    log("warning", `Envoy ${envoy.version} at ${envoy.path} is outside of the versions Heddle is made for`);
  await checkPorts(listenAddresses(dataplane.networking));
  return { options, context, log, dataplane, token, controlPlane, envoy };
}

async function launch(preparation: Preparation, workDir: WorkDir): Promise<number> {
  const { options, context, log, controlPlane, token } = preparation;
  const { signal } = context;
  const build = context.build ?? ownBuild();
  const inspectPort = await chooseInspectPort({ ...options, networking: preparation.dataplane.networking });
  const accessLogPipe = await makeAccessLogPipe(workDir, preparation.dataplane);
  const hasLogPipe = accessLogPipe !== undefined;
  const request = bootstrapRequest({ ...preparation, build, workDir: workDir.path, inspectPort, hasLogPipe });
  const patience = { backoffMs: options.retryBackoff, maxDurationMs: options.retryMaxDuration, log, signal };
  const bootstrap = await fetchBootstrap(controlPlane, request, patience);
  if (options.dryRun) {
    (context.print ?? ((text) => process.stdout.write(text)))(withoutToken(bootstrap, token.token));
    await removeWorkDir(workDir);
    return 0;
  }
  const { admin, listens } = readBootstrap(bootstrap);
  await checkPorts(listens);
  await writePrivate(workDir, FILES.bootstrap, bootstrap);
  if (token.file !== undefined && token.token !== undefined) await writeTokenFiles(workDir, token.token);
  const plan = launchPlan(preparation, { workDir, admin, request, ...(hasLogPipe ? { accessLogPipe } : {}) });
  await writePlan(plan);
  const { envoy, proxy } = plan;
  log(
    "info",
    `Starting Envoy ${envoy.version} for ${proxy.name} of mesh ${proxy.mesh}, configured by ${controlPlane.url}`,
  );
  signal.throwIfAborted();
  return handOver(plan, options.supervisor, log, signal);
}

function launchPlan(
  { options, dataplane, token, controlPlane, envoy }: Preparation,
  found: Pick<LaunchPlan, "workDir" | "admin" | "request" | "accessLogPipe">,
): LaunchPlan {
  const configPath = join(found.workDir.path, FILES.bootstrap);
  return {
    ...found,
    proxy: { mesh: dataplane.mesh, name: dataplane.name },
    envoy: { ...envoy, arguments: envoyArguments(configPath, options) },
    controlPlane,
    ...(token.file === undefined ? {} : { tokenFile: token.file }),
    tokenCheckMs: options.tokenCheckInterval,
    drainTimeMs: options.drainTime,
    logFormat: options.logFormat,
  };
}

/** The bootstrap as a reader of terminals and tickets may see it. */
export function withoutToken(bootstrap: string, token: string | undefined): string {
  if (token === undefined || token === "") return bootstrap;
  return bootstrap.replaceAll(token, "<token>");
}

async function chooseEnvoy(binaryPath: string | undefined, env: NodeJS.ProcessEnv): Promise<Envoy> {
  const chosen = binaryPath === undefined ? env : { ...env, HEDDLE_ENVOY: binaryPath };
  return findEnvoy(chosen).catch((cause: Error) => {
    if (binaryPath === undefined) throw new LaunchError("no_envoy", cause.message, { cause });
    throw new LaunchError(
      "no_envoy",
      `Cannot use the Envoy "${binaryPath}" of --binary-path: it is no program that answers --version as Envoy does`,
      {
        next: ["Name another one, or leave --binary-path away"],
        cause,
      },
    );
  });
}

function ownBuild(): Build {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return { version: manifest.version };
}
