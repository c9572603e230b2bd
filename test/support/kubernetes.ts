import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CoreV1Api, CustomObjectsApi, KubeConfig, KubernetesObjectApi, loadAllYaml } from "@kubernetes/client-node";
import { TOOLS } from "../../scripts/setup/places.mjs";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

const BIN = join(TOOLS, "kubernetes");
const run = promisify(execFile);

/** Why tests with Kubernetes are left out here; false when they can run. */
export function withoutKubernetes(): string | false {
  const programs = ["kube-apiserver", "etcd", "cert-manager", "crds"];
  if (programs.every((each) => existsSync(join(BIN, each)))) return false;
  assert.notEqual(process.env["HEDDLE_KUBERNETES"], "1", 'run "npm run setup:kubernetes" first');
  return 'needs a real Kubernetes: "npm run setup:kubernetes" builds it';
}

/** A real API server with etcd behind it and cert-manager's issuing controllers, no nodes. */
export interface Kubernetes {
  /** For KUBECONFIG: an administrator in this namespace. */
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly objects: CustomObjectsApi;
  /** The API server hangs, connections and all, or goes on. */
  freeze(isFrozen: boolean): void;
  startCertManager(): Promise<void>;
  stopCertManager(): Promise<void>;
}

/** Starts one that ends with the test; cert-manager does not run yet. */
export async function startKubernetes(t: Ending, namespace: string): Promise<Kubernetes> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-kubernetes-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [etcd = 0, peer = 0, port = 0] = await freePorts(3);
  await makeKeys(folder);
  start(t, "etcd", etcdFlags(folder, etcd, peer));
  const server = start(t, "kube-apiserver", serverFlags(folder, etcd, port));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigFor(folder, port, namespace));
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  await eventually(async () => {
    assert.equal(server.child.exitCode, null, `kube-apiserver ended:\n${server.output()}`);
    await core.createNamespace({ body: { metadata: { name: namespace } } });
  }, 60_000);
  await defineKinds(config, namespace);
  let controllers: ReturnType<typeof start> | undefined;
  return {
    kubeconfig,
    namespace,
    config,
    core,
    objects: config.makeApiClient(CustomObjectsApi),
    freeze: (isFrozen) => void server.child.kill(isFrozen ? "SIGSTOP" : "SIGCONT"),
    startCertManager: async () => {
      controllers = start(t, "cert-manager", [`--kubeconfig=${kubeconfig}`]);
    },
    stopCertManager: async () => await controllers?.stop(),
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

function start(t: Ending, program: string, flags: readonly string[]): Running {
  const child = spawn(join(BIN, program), flags, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-20_000)));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
    await promise;
  };
  t.after(stop);
  return { child, output: () => output, stop };
}

/** One key for tokens, and one self-made authority that signs the server and the administrator. */
async function makeKeys(folder: string): Promise<void> {
  const openssl = async (text: string): Promise<void> => void (await run("openssl", text.split(" "), { cwd: folder }));
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  await openssl(`req -x509 ${key} -keyout ca.key -out ca.crt -subj /CN=kubernetes-ca -days 30`);
  const signed = `${key} -CA ca.crt -CAkey ca.key -days 30`;
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  await openssl(`req -x509 ${signed} -keyout server.key -out server.crt -subj /CN=kube-apiserver -addext ${names}`);
  await openssl(`req -x509 ${signed} -keyout admin.key -out admin.crt -subj /O=system:masters/CN=admin`);
  await openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out tokens.key");
  await openssl("pkey -in tokens.key -pubout -out tokens.pub");
}

function etcdFlags(folder: string, port: number, peer: number): readonly string[] {
  const [client, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peer}`];
  return [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    "--unsafe-no-fsync",
  ];
}

function serverFlags(folder: string, etcd: number, port: number): readonly string[] {
  const file = (name: string): string => join(folder, name);
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--authorization-mode=RBAC",
    `--client-ca-file=${file("ca.crt")}`,
    `--tls-cert-file=${file("server.crt")}`,
    `--tls-private-key-file=${file("server.key")}`,
    `--service-account-key-file=${file("tokens.pub")}`,
    `--service-account-signing-key-file=${file("tokens.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
  ];
}

function kubeconfigFor(folder: string, port: number, namespace: string): string {
  const file = (name: string): string => join(folder, name);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": file("ca.crt") } },
    ],
    users: [{ name: "admin", user: { "client-certificate": file("admin.crt"), "client-key": file("admin.key") } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin", namespace } }],
  });
}

/** cert-manager's own definitions of its kinds. */
async function defineKinds(config: KubeConfig, namespace: string): Promise<void> {
  const definitions = KubernetesObjectApi.makeApiClient(config);
  const folder = join(BIN, "crds");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  for (const name of names) {
    for (const definition of loadAllYaml(await readFile(join(folder, name), "utf8"))) {
      await definitions.create(definition);
    }
  }
  const objects = config.makeApiClient(CustomObjectsApi);
  const kinds = { group: "cert-manager.io", version: "v1", namespace };
  for (const plural of ["issuers", "certificaterequests"])
    await eventually(async () => void (await objects.listNamespacedCustomObject({ ...kinds, plural })), 20_000);
}
