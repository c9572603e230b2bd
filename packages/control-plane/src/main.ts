import { readFile } from "node:fs/promises";
import { type Config, forgetSecrets, ignoredSettings, loadConfig, type Sources } from "./config.ts";
import { startControlPlane } from "./control-plane.ts";
import { createLog } from "./log.ts";
import { VERSION } from "./version.ts";

export interface RunOptions {
  readonly flags: Sources["flags"];
  readonly env: Sources["env"];
  readonly configFile?: string | undefined;
}

/** A configuration that cannot be used; every mistake is in the message. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** The configuration in force, and what the file says beyond it. Secrets are taken out of the environment. */
export async function loadRunConfig({
  flags,
  env,
  configFile,
}: RunOptions): Promise<{ readonly config: Config; readonly ignored: ReturnType<typeof ignoredSettings> }> {
  const file = configFile === undefined ? undefined : await readConfigFile(configFile);
  const config = loadConfig({ file, env, flags });
  forgetSecrets(process.env);
  if (config.ok) return { config: config.value, ignored: ignoredSettings(file) };
  const lines = config.violations.map(({ field, message }) => `  ${field}: ${message}`);
  throw new ConfigurationError(`Cannot start the control plane: its configuration is not valid\n${lines.join("\n")}`);
}

/** Runs a control plane until the signal aborts. Throws ConfigurationError, or an Error that says what to do. */
export async function runControlPlane(options: RunOptions, signal: AbortSignal): Promise<void> {
  const { config, ignored } = await loadRunConfig(options);
  const log = createLog(config);
  for (const { field, message } of ignored) log.warn("setting is not known here and has no effect", { field, message });
  await using controlPlane = await startControlPlane(config, log, signal);
  log.info(`Heddle ${VERSION} control plane is ready`, {
    api: controlPlane.apiUrl,
    ...(controlPlane.apiHttpsUrl === undefined ? {} : { apiHttps: controlPlane.apiHttpsUrl }),
    dataplanes: `https://localhost:${controlPlane.dpPort}`,
    diagnostics: `http://localhost:${controlPlane.diagnosticsPort}`,
    ...(controlPlane.rateLimitPort === undefined ? {} : { rateLimits: `port ${controlPlane.rateLimitPort}` }),
    store: config.storeType === "memory" ? "memory (gone at the end)" : config.dataFolder,
  });
  const failure = await Promise.race([aborted(signal), controlPlane.failure]);
  if (failure !== undefined) throw failure;
  log.info("stopping");
}

async function readConfigFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ConfigurationError(`Cannot read the configuration file "${path}": ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  return await promise;
}
