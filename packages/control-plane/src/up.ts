import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { parseAllDocuments } from "yaml";
import { forgetSecrets, loadConfig } from "./config.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { KINDS } from "./kinds.ts";
import { createLog } from "./log.ts";
import { ConfigurationError } from "./main.ts";
import { TokenService } from "./identity/token-service.ts";
import { Secrets } from "./secrets.ts";
import { VERSION } from "./version.ts";

const DAY = 86_400_000;
const RESOURCES = join(import.meta.dirname, "../../demo/resources");

export interface UpOptions {
  readonly demo?: boolean | undefined;
  /** Settings of the control plane, by name. */
  readonly [setting: string]: unknown;
}

/** `heddle up`: a control plane with a safe start for newcomers, with services in it when asked for. */
export async function up({ demo = false, ...flags }: UpOptions, signal: AbortSignal): Promise<void> {
  const config = loadConfig({ env: process.env, flags: { logLevel: "warn", ...flags } });
  forgetSecrets(process.env);
  if (!config.ok) {
    const lines = config.violations.map(({ field, message }) => `  ${field}: ${message}`);
    throw new ConfigurationError(`Cannot start: settings are wrong\n${lines.join("\n")}`);
  }
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  await using controlPlane = await startControlPlane(config.value, createLog(config.value), signal);
  const made = await applyOnce(controlPlane.store, config.value.zone, "mesh");
  if (demo) await applyOnce(controlPlane.store, config.value.zone, "services");
  print(`${styleText("bold", `Heddle ${VERSION}`)} is up`);
  print(`  REST API          ${controlPlane.apiUrl}`);
  print(`  data plane server https://localhost:${controlPlane.dpPort}`);
  print(`  metrics, health   http://localhost:${controlPlane.diagnosticsPort}/metrics`);
  print(
    `  data folder       ${config.value.storeType === "memory" ? "none: everything is gone at the end" : config.value.dataFolder}`,
  );
  print(
    `  mesh default      mutual TLS for everybody; policy allow-all lets all services call each other${made ? "" : " (as you left it)"}`,
  );
  if (demo) await runWithDemo(controlPlane, print, signal);
  else await untilAborted(print, signal);
}

async function runWithDemo(
  controlPlane: ControlPlane,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { runDemo } = await import("@heddle/demo/run-demo.ts");
  const tokens = new TokenService(new Secrets(controlPlane.store), () => new Date());
  const tokenFor = async (name: string): Promise<string> => {
    const answer = await tokens.issueDataplaneToken({
      mesh: "default",
      name,
      tags: {},
      type: "dataplane",
      validForMillis: DAY,
    });
    if (!answer.ok) throw new Error(`Cannot make a token for "${name}": ${answer.detail}`);
    return answer.token;
  };
  await runDemo(
    { apiUrl: controlPlane.apiUrl, dpPort: controlPlane.dpPort, caPem: controlPlane.caPem, tokenFor },
    print,
    signal,
  );
  print("stopped; nothing is left running");
}

/** Stores what is not there yet. Once: what a user changed or deleted afterwards stays so. */
async function applyOnce(store: Store, zone: string, file: "mesh" | "services"): Promise<boolean> {
  const marker = { type: "GlobalSecret", mesh: "", name: `applied-once-${file}` };
  if ((await store.get(marker)) !== undefined) return false;
  for (const document of parseAllDocuments(await readFile(join(RESOURCES, `${file}.yaml`), "utf8"))) {
    const parsed = parseResource(KINDS, document.toJS());
    const kind = parsed.ok ? KINDS.byType(parsed.value.type) : undefined;
    if (!parsed.ok || kind === undefined)
      throw new Error(`Cannot read the resources of the demo: ${JSON.stringify(parsed)}`);
    const labelled = withOwnedLabels(kind, parsed.value, { mode: "zone", zone, environment: "universal" });
    if (!labelled.ok) throw new Error(`Cannot label ${parsed.value.name}: ${JSON.stringify(labelled.violations)}`);
    const stored = await store.get(labelled.value);
    if (stored === undefined) await store.create(labelled.value);
    // The mesh that every control plane begins with is empty; one that somebody has set up already is left alone.
    else if (kind.type === "Mesh" && Object.keys(stored.spec as object).length === 0)
      await store.update(labelled.value, stored.version);
  }
  await store.create({ ...marker, labels: {}, spec: { data: "" } });
  return true;
}

async function untilAborted(print: (text: string) => void, signal: AbortSignal): Promise<void> {
  print(
    '\nNext: "heddle get meshes", "heddle generate dataplane-token --name=web-1 --valid-for=720h", or "heddle up --demo". Ctrl-C stops.',
  );
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}
