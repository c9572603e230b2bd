/** Somebody between the parties who answers in the control plane's place gets nothing: neither token nor connection. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { createSecureServer } from "node:http2";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { OperatorAuthority } from "@heddle/control-plane/tls/testkit/pairs.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, Mesh, startLab } from "../support/lab.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");

interface FalseServer {
  readonly port: number;
  /** Connections, whether anything came of them or not. */
  readonly attempts: () => number;
  readonly requests: readonly string[];
}

/** Answers whatever it is asked, with a certificate for the right name by an authority that nobody trusts. */
async function falseControlPlane(t: TestContext): Promise<FalseServer> {
  const requests: string[] = [];
  const authority = await OperatorAuthority.create("mallory");
  const server = createSecureServer({ ...(await authority.pair()), allowHTTP1: true }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end("{}");
  });
  let attempts = 0;
  server.on("connection", () => void attempts++);
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, attempts: () => attempts, requests };
}

async function run(
  args: readonly string[],
  folder: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = { ...process.env, HOME: folder, HEDDLE_CONFIG: join(folder, "config.yaml") };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, output };
}

async function launchArgs(lab: Lab, port: number): Promise<readonly string[]> {
  const [token, dataplane] = [join(lab.folder, "token"), join(lab.folder, "web.yaml")];
  await writeFile(token, await lab.token("web"));
  await writeFile(dataplane, "type: Dataplane\nmesh: default\nname: web\nnetworking: { address: 127.0.0.1 }\n");
  const at = ["--cp-address", `https://localhost:${port}`];
  return ["dp", "run", ...at, "--dataplane-file", dataplane, "--dataplane-token-file", token];
}

test("a launcher gives its token to no control plane that it cannot verify, with an authority or without", async (t) => {
  const [lab, mallory] = [await startLab(t), await falseControlPlane(t)];
  const args = await launchArgs(lab, mallory.port);
  const ca = join(lab.folder, "ca.pem");
  await writeFile(ca, lab.at.caPem);
  for (const more of [[], ["--ca-cert-file", ca]]) {
    const { code, output } = await run([...args, ...more], lab.folder);
    assert.notEqual(code, 0);
    assert.match(output, /Cannot trust the control plane at "https:\/\/localhost/);
  }
  assert.deepEqual(mallory.requests, []);
});

test("the command line gives its token to no control plane that it cannot verify", async (t) => {
  const [lab, mallory] = [await startLab(t), await falseControlPlane(t)];
  const add = ["config", "control-planes", "add", "--name", "x", "--address", `https://localhost:${mallory.port}`];
  const added = await run([...add, "--auth-type", "tokens", "--auth-conf", "token=canary", "--skip-check"], lab.folder);
  assert.equal(added.code, 0, added.output);
  const { code, output } = await run(["get", "meshes"], lab.folder);
  assert.notEqual(code, 0);
  assert.match(output, /certificate/);
  assert.ok(mallory.attempts() > 0, "nobody tried");
  assert.deepEqual(mallory.requests, []);
});

/** A way to a server that can be laid to another one. */
async function lay(t: TestContext, first: number) {
  let target = first;
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    const onward = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on("error", () => undefined).on("close", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const cut = (): void => open.forEach((socket) => socket.destroy());
  t.after(() => (cut(), server.close()));
  const to = (port: number): void => {
    target = port;
    cut();
  };
  return { port: (server.address() as AddressInfo).port, to };
}

test("an Envoy that is led to another control plane sends it nothing, and comes back to the right one", async (t) => {
  const [lab, mallory] = [await startLab(t), await falseControlPlane(t)];
  const way = await lay(t, lab.at.dpPort);
  const mesh = new Mesh(t, { ...lab.at, dpPort: way.port }, lab.folder);
  await mesh.sidecar({ name: "web" });
  way.to(mallory.port);
  await eventually(() => assert.ok(mallory.attempts() >= 2, `${mallory.attempts()} attempts`), 15_000);
  assert.deepEqual(mallory.requests, []);
  assert.equal(lab.controlPlane.meshes.get("default")?.proxies.size ?? 0, 0);
  way.to(lab.at.dpPort);
  await eventually(() => assert.equal(lab.controlPlane.meshes.get("default")?.proxies.size, 1), 15_000);
});
