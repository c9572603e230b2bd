import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadConfig } from "@heddle/control-plane/config.ts";
import { type ControlPlane, startControlPlane } from "@heddle/control-plane/control-plane.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { parseAllDocuments, stringify } from "yaml";
import { dataplane } from "./dataplane.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "packages/cli/src/main.ts");

/** A sidecar of a test: `heddle dp run` with a real Envoy. */
export interface Sidecar {
  readonly name: string;
  readonly process: ChildProcess;
  readonly inboundPort: number;
  /** URL under which the application reaches a service. */
  readonly outbound: (service: string) => string;
  readonly output: () => string;
  /** SIGTERM, and wait until it has drained and ended. */
  stop(): Promise<number | null>;
}

export interface SidecarOptions {
  readonly name: string;
  readonly mesh?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly protocol?: string;
  /** Port of the application; none for one that only calls. */
  readonly servicePort?: number;
  /** MeshServices that the application calls, at port 80 or `callPort`; with their kind ("MeshExternalService/x") others. */
  readonly calls?: readonly string[];
  readonly callPort?: number;
  /** As Kuma 2.x has it: calls name services by their kuma.io/service tag. */
  readonly callsByTag?: boolean;
  /** Host name or IP of the proxy; 127.0.0.1 when absent. */
  readonly address?: string;
  /** More of the Dataplane's `networking`, in place of what the above make of it. */
  readonly networking?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Do not wait until it has everything. */
  readonly noWait?: boolean;
  readonly token?: string;
  /** Give `token` itself, not a file with it: then it is part of Envoy's bootstrap. */
  readonly inlineToken?: boolean;
}

/** What sidecars and tests need of a control plane, wherever it runs. */
export interface Reachable {
  readonly apiUrl: string;
  readonly dpPort: number;
  readonly caPem: string;
}

/** What ends things: a test's context, or a benchmark's list. */
export interface Ending {
  after(end: () => unknown): void;
}

/** A mesh of a test: a control plane that is reached over its ports, and sidecars around it. Ends with the test. */
export class Mesh {
  readonly at: Reachable;
  readonly folder: string;
  readonly #t: Ending;

  constructor(t: Ending, at: Reachable, folder: string) {
    this.#t = t;
    this.at = at;
    this.folder = folder;
  }

  /** Applies YAML over the REST API; every document must be accepted. */
  async apply(yaml: string): Promise<void> {
    for (const document of parseAllDocuments(yaml)) {
      const resource = document.toJS() as { type: string; mesh?: string; name: string };
      const response = await this.put(resource);
      assert.ok(response.ok, `PUT ${resource.type} ${resource.name}: ${response.status} ${await response.text()}`);
    }
  }

  async put(resource: { type: string; mesh?: string; name: string }): Promise<Response> {
    return await fetch(await this.url(resource), {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(resource),
    });
  }

  async delete(type: string, name: string, mesh = "default"): Promise<void> {
    const response = await fetch(await this.url({ type, mesh, name }), { method: "DELETE" });
    assert.ok(response.ok, `DELETE ${type} ${name}: ${response.status} ${await response.text()}`);
  }

  async url({ type, mesh, name }: { type: string; mesh?: string; name: string }): Promise<string> {
    const response = await fetch(`${this.at.apiUrl}/_resources`);
    const { resources } = (await response.json()) as { resources: { name: string; path: string; scope: string }[] };
    const kind = resources.find((each) => each.name === type);
    assert.ok(kind, `no kind ${type}`);
    return kind.scope === "Mesh"
      ? `${this.at.apiUrl}/meshes/${mesh ?? "default"}/${kind.path}/${name}`
      : `${this.at.apiUrl}/${kind.path}/${name}`;
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.at.apiUrl}${path}`);
    assert.ok(response.ok, `GET ${path}: ${response.status} ${await response.clone().text()}`);
    return await response.json();
  }

  async token(name: string, mesh = "default", validFor = "1h", workload = ""): Promise<string> {
    const response = await fetch(`${this.at.apiUrl}/tokens/dataplane`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ mesh, name, validFor, workload }),
    });
    assert.ok(response.ok, await response.clone().text());
    return await response.text();
  }

  async sidecar(options: SidecarOptions): Promise<Sidecar> {
    const { name, mesh = "default", calls = [] } = options;
    const [inboundPort = 0, ...outboundPorts] = await freePorts(1 + calls.length);
    const file = (kind: string): string => join(this.folder, `${name}.${kind}`);
    await writeFile(file("yaml"), stringify(dataplane(options, inboundPort, outboundPorts)));
    await writeFile(
      file("token"),
      options.token ?? (await this.token(name, mesh, "1h", options.labels?.["kuma.io/workload"])),
    );
    await writeFile(file("ca"), this.at.caPem);
    const args = ["dp", "run", "--cp-address", `https://localhost:${this.at.dpPort}`, "--ca-cert-file", file("ca")];
    const more = [
      "--dataplane-file",
      file("yaml"),
      ...(options.inlineToken ? ["--dataplane-token", options.token ?? ""] : ["--dataplane-token-file", file("token")]),
      "--drain-time",
      "2s",
      "--concurrency",
      "1",
    ];
    const child = spawn(process.execPath, [CLI, ...args, ...more], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    this.#t.after(() => stopProcess(child));
    if (options.noWait !== true) await this.ready(mesh, name, child, () => output);
    return {
      name,
      process: child,
      inboundPort,
      outbound: (service) => `http://127.0.0.1:${outboundPorts[calls.indexOf(service)]}`,
      output: () => output,
      stop: () => stopProcess(child),
    };
  }

  /** Waits until a sidecar has everything and answers. */
  protected async ready(mesh: string, name: string, child: ChildProcess, output: () => string): Promise<void> {
    await eventually(async () => {
      assert.equal(child.exitCode, null, `sidecar ${name} ended:\n${output()}`);
      const overview = (await this.get(`/meshes/${mesh}/dataplanes/${name}/_overview`)) as Overview;
      const acknowledged = Number(
        overview.dataplaneInsight?.subscriptions?.at(-1)?.status?.lds?.responsesAcknowledged ?? 0,
      );
      assert.ok(acknowledged > 0, `sidecar ${name} has no listeners yet:\n${output()}`);
    }, 20_000);
  }
}

interface Overview {
  readonly dataplaneInsight?: {
    readonly subscriptions?: { readonly status?: { readonly lds?: { readonly responsesAcknowledged: string } } }[];
  };
}

/** A mesh whose control plane runs in this process, so that tests can look inside. */
export class Lab extends Mesh {
  readonly controlPlane: ControlPlane;
  readonly log: readonly string[];

  constructor(t: TestContext, controlPlane: ControlPlane, folder: string, log: readonly string[]) {
    super(t, controlPlane, folder);
    this.controlPlane = controlPlane;
    this.log = log;
  }

  /** Waits until every connected proxy has acknowledged everything it should have. */
  async settled(): Promise<void> {
    const { store, meshes } = this.controlPlane;
    await eventually(async () => {
      const revision = await store.revision();
      assert.ok(meshes.revision >= revision, "the store's changes are not all taken over");
      for (const mesh of meshes.all()) {
        assert.ok(mesh.isSettled, "not everything is compiled");
        for (const proxy of mesh.proxies.values())
          assert.ok(proxy.isSynced, `${proxy.name} has not acknowledged everything`);
      }
    });
  }

  protected override async ready(mesh: string, name: string, child: ChildProcess, output: () => string): Promise<void> {
    await eventually(() => {
      assert.equal(child.exitCode, null, `sidecar ${name} ended:\n${output()}`);
      const runtime = this.controlPlane.meshes.get(mesh);
      assert.ok(
        runtime?.proxies.get(name)?.isSynced,
        `sidecar ${name} is not ready:\n${output()}\n${this.log.join("\n")}`,
      );
      assert.ok(runtime.snapshot.dataplanes.get(name)?.facts.warm, `sidecar ${name} is not warm`);
    }, 20_000);
  }
}

/** Starts a control plane on free ports, its store in memory unless settings say otherwise. */
export async function startLab(t: TestContext, settings: Readonly<Record<string, unknown>> = {}): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ports = {
    apiHttpPort: 0,
    apiHttpsEnabled: "false",
    dpPort: 0,
    diagnosticsPort: 0,
    rateLimitPort: 0,
    madsPort: 0,
  };
  const flags = {
    storeType: "memory",
    dataFolder: folder,
    deregistrationDelay: "2s",
    statusFlushInterval: "50ms",
    ...ports,
    ...settings,
  };
  const config = loadConfig({ env: {}, flags });
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const controlPlane = await startControlPlane(
    config.value,
    textLog(20, (line) => lines.push(line)),
  );
  t.after(() => controlPlane[Symbol.asyncDispose]());
  return new Lab(t, controlPlane, folder, lines);
}

/** A MeshService over the proxies with a label `app`. */
export function meshService(
  name: string,
  {
    labels = { app: name },
    protocol = "http",
    mesh = "default",
  }: { labels?: Record<string, string>; protocol?: string; mesh?: string } = {},
): string {
  return stringify({
    type: "MeshService",
    mesh,
    name,
    spec: {
      selector: { dataplaneLabels: { matchLabels: labels } },
      ports: [{ port: 80, name: "main", targetPort: "main", appProtocol: protocol }],
    },
  });
}

/** Mutual TLS for mesh default. */
export function mtls(mode: "STRICT" | "PERMISSIVE" = "STRICT", expiration?: string): string {
  const dpCert = expiration === undefined ? {} : { dpCert: { rotation: { expiration } } };
  return stringify({
    type: "Mesh",
    name: "default",
    mtls: { enabledBackend: "ca-1", backends: [{ name: "ca-1", type: "builtin", mode, ...dpCert }] },
  });
}

/** A permission for everybody in mesh default. */
export const ALLOW_ALL = stringify({
  type: "MeshTrafficPermission",
  mesh: "default",
  name: "allow-all",
  spec: { rules: [{ default: { allow: [{ spiffeID: { type: "Prefix", value: "spiffe://default/" } }] } }] },
});

async function stopProcess(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await promise;
  clearTimeout(late);
  return child.exitCode;
}
