import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect, type Http2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { loadConfig, settings } from "@heddle/control-plane/config.ts";
import { type ControlPlane, startControlPlane } from "@heddle/control-plane/control-plane.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { OperatorAuthority, type Pair, shownAt } from "@heddle/control-plane/tls/testkit/pairs.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlaneProcess } from "../support/control-plane-process.ts";
import { freePorts } from "../support/free-ports.ts";
import { Mesh, startLab } from "../support/lab.ts";

interface Running {
  readonly controlPlane: ControlPlane;
  readonly lines: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
}

/** A control plane with everything over TLS. */
async function start(t: TestContext, flags: Readonly<Record<string, unknown>>): Promise<Running> {
  const free = Object.fromEntries(settings.filter(({ name }) => name.endsWith("Port")).map(({ name }) => [name, 0]));
  const more = { storeType: "memory", madsTlsEnabled: "true", diagnosticsTlsEnabled: "true" };
  const config = loadConfig({ env: {}, flags: { ...free, ...more, ...flags } });
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const controlPlane = await startControlPlane(
    config.value,
    textLog(20, (line) => lines.push(line)),
  );
  t.after(() => controlPlane[Symbol.asyncDispose]());
  const { apiHttpsUrl, dpPort, madsPort = 0, diagnosticsPort } = controlPlane;
  const api = Number(new URL(apiHttpsUrl ?? "").port);
  return {
    controlPlane,
    lines,
    ports: { api, dataplanes: dpPort, monitoring: madsPort, diagnostics: diagnosticsPort },
  };
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "reload-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Every port shows one certificate, whose serial this is. */
async function serialOf({ ports }: Running, ca: string): Promise<string> {
  const shown = await Promise.all(Object.values(ports).map((port) => shownAt(port, { ca })));
  const serials = new Set(shown.map(({ serial }) => serial));
  assert.equal(serials.size, 1, "the ports show different certificates");
  return [...serials].join();
}

async function replaced(running: Running, ca: string, before: string): Promise<string> {
  return await eventually(async () => {
    const now = await serialOf(running, ca);
    assert.notEqual(now, before, "the old certificate is still shown");
    return now;
  });
}

async function ask(running: Running, { ca, path, agent }: { ca: string; path: string; agent?: Agent }) {
  const port = running.ports[path === "/metrics" ? "diagnostics" : "api"];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { port, host: "127.0.0.1", servername: "localhost", ca, path, agent: agent ?? false };
  request(options, (response) => text(response).then(resolve, reject))
    .on("error", reject)
    .end();
  return await promise;
}

/** Connections that were made before the change, and must not notice it. */
async function openBefore(t: TestContext, running: Running, ca: string): Promise<() => Promise<void>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<unknown>();
  agent.on("free", (socket) => sockets.add(socket));
  await ask(running, { ca, path: "/", agent });
  const session: Http2Session = connect(`https://localhost:${running.ports["dataplanes"]}`, { ca });
  t.after(() => {
    agent.destroy();
    session.destroy();
  });
  let ended = false;
  session.on("close", () => (ended = true)).on("error", () => (ended = true));
  const ping = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    session.ping((error) => (error === null ? resolve() : reject(error)));
    await promise;
  };
  await new Promise((resolve) => session.once("connect", resolve));
  return async () => {
    await ask(running, { ca, path: "/", agent });
    assert.equal(sockets.size, 1, "the connection to the API was not kept");
    await ping();
    assert.equal(ended, false, "the connection to the data plane server ended");
  };
}

type Write = (folder: string, pair: Pair) => Promise<void>;

const inPlace =
  (order: readonly ("cert" | "key")[]): Write =>
  async (folder, pair) => {
    for (const part of order) {
      await writeFile(join(folder, `tls.${part}`), pair[part]);
      // Longer than files are waited for: in between the two do not fit.
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };

const byRename: Write = async (folder, pair) => {
  for (const part of ["cert", "key"] as const) {
    await writeFile(join(folder, `new.${part}`), pair[part]);
    await rename(join(folder, `new.${part}`), join(folder, `tls.${part}`));
  }
};

let generation = 0;
/** As the kubelet does with a Secret's volume: the files are links through `..data`, which is turned at once. */
const byKubernetes: Write = async (folder, pair) => {
  const data = `..${++generation}`;
  await mkdir(join(folder, data));
  for (const part of ["cert", "key"] as const) {
    await writeFile(join(folder, data, `tls.${part}`), pair[part]);
    await symlink(join("..data", `tls.${part}`), join(folder, `tls.${part}`)).catch(() => undefined);
  }
  await symlink(data, join(folder, "..data_tmp"));
  await rename(join(folder, "..data_tmp"), join(folder, "..data"));
};

const ways: Readonly<Record<string, Write>> = {
  "the certificate first, then the key": inPlace(["cert", "key"]),
  "the key first, then the certificate": inPlace(["key", "cert"]),
  "files that are renamed over the old ones": byRename,
  "a Secret of Kubernetes": byKubernetes,
};

for (const [way, write] of Object.entries(ways)) {
  test(`a certificate that comes by ${way} is shown by all ports, and no connection notices`, async (t) => {
    const [authority, folder] = [await OperatorAuthority.create(), await folderOf(t)];
    await write(folder, await authority.pair());
    const where = { tlsCertFile: join(folder, "tls.cert"), tlsKeyFile: join(folder, "tls.key") };
    const running = await start(t, where);
    const unharmed = await openBefore(t, running, authority.pem);
    let serial = await serialOf(running, authority.pem);
    // Twice: what is watched must still be watched afterwards.
    for (let round = 0; round < 2; round++) {
      await write(folder, await authority.pair());
      serial = await replaced(running, authority.pem, serial);
    }
    await unharmed();
  });
}

test("a bad certificate file changes nothing but the log and the metrics, until it is corrected", async (t) => {
  const [authority, folder] = [await OperatorAuthority.create(), await folderOf(t)];
  const first = await authority.pair();
  await byRename(folder, first);
  const where = { tlsCertFile: join(folder, "tls.cert"), tlsKeyFile: join(folder, "tls.key") };
  const running = await start(t, where);
  const serial = await serialOf(running, authority.pem);
  await writeFile(where.tlsCertFile, "half a certif");
  await eventually(async () => {
    const metrics = await ask(running, { ca: authority.pem, path: "/metrics" });
    assert.match(metrics, /^server_certificate_problem\{port="dataplanes"\} 1$/m);
  });
  assert.equal(await serialOf(running, authority.pem), serial);
  const told = running.lines.filter((line) => line.includes("cannot be used; the one before stays"));
  assert.equal(told.length, 1, running.lines.join("\n"));
  assert.match(told.join(), /general\.tlsCertFile.*holds no/);
  await byRename(folder, await authority.pair({ validitySeconds: 1_000 }));
  await replaced(running, authority.pem, serial);
  const metrics = await ask(running, { ca: authority.pem, path: "/metrics" });
  assert.match(metrics, /^server_certificate_problem\{port="dataplanes"\} 0$/m);
  const [, end = ""] = /^server_certificate_expiration_timestamp_seconds\{port="api"\} (\S+)$/m.exec(metrics) ?? [];
  assert.ok(Math.abs(Number(end) - Date.now() / 1_000 - 1_000) < 60, `ends at ${end}`);
  assert.doesNotMatch(running.lines.join("\n"), /PRIVATE KEY/);
});

test("ports with files of their own show them, and follow them alone", async (t) => {
  const [authority, folder] = [await OperatorAuthority.create(), await folderOf(t)];
  await byRename(folder, await authority.pair());
  const running = await start(t, { dpTlsCertFile: join(folder, "tls.cert"), dpTlsKeyFile: join(folder, "tls.key") });
  const { ports } = running;
  const before = await shownAt(ports["dataplanes"] ?? 0, { ca: authority.pem });
  await assert.rejects(shownAt(ports["api"] ?? 0, { ca: authority.pem }), /self-signed|unable to verify|local issuer/);
  await byRename(folder, await authority.pair());
  await eventually(async () => {
    const now = await shownAt(ports["dataplanes"] ?? 0, { ca: authority.pem });
    assert.notEqual(now.serial, before.serial);
  });
});

test("another authority of client certificates counts for new connections: the old one's users are nobody then", async (t) => {
  const [authority, clients, others] = await Promise.all(["a", "b", "c"].map((name) => OperatorAuthority.create(name)));
  assert.ok(authority !== undefined && clients !== undefined && others !== undefined);
  const folder = await folderOf(t);
  await byRename(folder, await authority.pair());
  const apiHttpsCaFile = join(folder, "clients.pem");
  await writeFile(apiHttpsCaFile, clients.pem);
  const where = { tlsCertFile: join(folder, "tls.cert"), tlsKeyFile: join(folder, "tls.key"), apiHttpsCaFile };
  const running = await start(t, where);
  const [jane, joe] = [await clients.pair({ client: "jane" }), await others.pair({ client: "joe" })];
  const nameOf = async (identity: Pair): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = { "x-forwarded-for": "203.0.113.7" };
    const at = {
      port: running.ports["api"],
      host: "127.0.0.1",
      servername: "localhost",
      path: "/who-am-i",
      agent: false,
    };
    request({ ...at, ...identity, headers, ca: authority.pem } as const, (response) =>
      text(response).then(resolve, reject),
    )
      .on("error", reject)
      .end();
    return (JSON.parse(await promise) as { name: string }).name;
  };
  assert.deepEqual([await nameOf(jane), await nameOf(joe)], ["jane", "mesh-system:anonymous"]);
  await writeFile(apiHttpsCaFile, others.pem);
  await eventually(async () =>
    assert.deepEqual([await nameOf(jane), await nameOf(joe)], ["mesh-system:anonymous", "joe"]),
  );
});

test("a sidecar stays connected while the certificate is replaced, and another one joins with the new one", async (t) => {
  const [authority, folder] = [await OperatorAuthority.create(), await folderOf(t)];
  await byRename(folder, await authority.pair());
  const lab = await startLab(t, { tlsCertFile: join(folder, "tls.cert"), tlsKeyFile: join(folder, "tls.key") });
  const at = { ...lab.at, caPem: authority.pem };
  const mesh = new Mesh(t, at, lab.folder);
  await mesh.sidecar({ name: "first" });
  const { dpPort } = lab.controlPlane;
  const before = await shownAt(dpPort, { ca: authority.pem });
  const connections = async (): Promise<number> => {
    const overview = await lab.get("/meshes/default/dataplanes/first/_overview");
    const { dataplaneInsight } = overview as { dataplaneInsight: { subscriptions: readonly unknown[] } };
    return dataplaneInsight.subscriptions.length;
  };
  assert.equal(await connections(), 1);
  await byRename(folder, await authority.pair());
  await eventually(async () => {
    assert.notEqual((await shownAt(dpPort, { ca: authority.pem })).serial, before.serial);
  });
  await mesh.sidecar({ name: "second" });
  assert.equal(await connections(), 1, "the first sidecar had to connect again");
  await lab.apply("type: Zone\nname: east");
  await lab.settled();
});

test("a sidecar that pinned ca.pem comes back after a restart, which makes a new certificate", async (t) => {
  const [folder, ports] = [await folderOf(t), await freePorts(3)];
  const controlPlane = new ControlPlaneProcess(folder, ports);
  t.after(() => controlPlane.kill());
  await controlPlane.start();
  const ca = await controlPlane.caPem();
  const mesh = new Mesh(t, { apiUrl: controlPlane.apiUrl, dpPort: controlPlane.dpPort, caPem: ca }, folder);
  await mesh.sidecar({ name: "web" });
  const before = await shownAt(controlPlane.dpPort, { ca });
  await controlPlane.kill();
  await controlPlane.start();
  assert.notEqual((await shownAt(controlPlane.dpPort, { ca })).serial, before.serial);
  assert.equal(await controlPlane.caPem(), ca);
  await eventually(async () => {
    const overview = (await mesh.get("/meshes/default/dataplanes/web/_overview")) as {
      readonly dataplaneInsight: { readonly subscriptions: readonly { readonly disconnectTime?: string }[] };
    };
    const { subscriptions } = overview.dataplaneInsight;
    assert.ok(subscriptions.length > 1 && subscriptions.at(-1)?.disconnectTime === undefined, "it is not back yet");
  }, 15_000);
});
