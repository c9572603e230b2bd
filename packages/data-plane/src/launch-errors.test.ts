import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EXPIRED, GOOD, OTHER, OTHER_NAME } from "./testkit/certificates.ts";
import { freePort } from "./testkit/free-port.ts";
import { failure, launch } from "./testkit/launch.ts";
import { testBootstrap } from "./testkit/test-bootstrap.ts";
import { listen, startTestControlPlane, type TestControlPlane } from "./testkit/test-control-plane.ts";

let folder = "";
let ca = "";
let cp: TestControlPlane;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-dp-errors-"));
  // Where temporary work directories go; what is left of them shows at the end.
  process.env["TMPDIR"] = folder;
  ca = await file("ca.pem", GOOD.certificate);
  cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
});
after(async () => {
  await cp[Symbol.asyncDispose]();
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("heddle-dp-")),
    [],
    "no work directory is left",
  );
  await rm(folder, { recursive: true });
});

const CLOCKS: readonly (readonly [number, RegExp | undefined])[] = [
  [4.5, undefined],
  [-4.5, undefined],
  [60, /warning .*CLOCKS DIFFER.* is (1h|59m59s|1h1s) ahead of the control plane's .*end .* early for this one.* NTP/],
  [-60, /warning .*CLOCKS DIFFER.* is (1h|59m59s|1h1s) behind the control plane's .*not valid yet for this one.* NTP/],
];

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test("runDataplane() says that the address must be https", async () => {
  const error = await failure({ name: "x", cpAddress: "http://localhost:5678" });
  assert.equal(error.message, 'Cannot use --cp-address "http://localhost:5678": it is no https address');
});

test("runDataplane() does not trust a control plane that signed itself, and names --ca-cert-file", async () => {
  const error = await failure({ name: "x", cpAddress: cp.url });
  assert.equal(error.code, "untrusted");
  assert.match(error.message, /signed by no authority that this machine trusts/);
  assert.match(error.next.join(), /--ca-cert-file/);
});

test("runDataplane() says that --ca-cert-file is of another control plane", async () => {
  const error = await failure({ name: "x", cpAddress: cp.url, caCertFile: await file("other.pem", OTHER.certificate) });
  assert.match(error.message, /not signed by the authority in --ca-cert-file/);
});

test("runDataplane() says that --ca-cert-file is no certificate", async () => {
  const error = await failure({ name: "x", cpAddress: cp.url, caCertFile: await file("no.pem", "hello") });
  assert.match(error.message, /holds no PEM certificate/);
});

test("runDataplane() says that the certificate is for another name", async () => {
  await using named = await startTestControlPlane(() => "", { certificate: OTHER_NAME });
  const caCertFile = await file("named.pem", OTHER_NAME.certificate);
  const error = await failure({ name: "x", cpAddress: named.url, caCertFile });
  assert.match(error.message, /certificate is for other names .*cp\.example/);
});

test("runDataplane() says that the certificate has expired", async () => {
  await using expired = await startTestControlPlane(() => "", { certificate: EXPIRED });
  const caCertFile = await file("expired.pem", EXPIRED.certificate);
  const error = await failure({ name: "x", cpAddress: expired.url, caCertFile });
  assert.match(error.message, /has expired/);
  assert.match(error.next.join(), /clock/);
});

test("runDataplane() warns loudly when nobody is verified, and goes on", async () => {
  const { code, notes } = await launch({ name: "x", cpAddress: cp.url, skipVerify: true, dryRun: true });
  assert.equal(code, 0);
  assert.match(notes.join("\n"), /warning .*NOT VERIFYING/);
});

for (const [minutes, warning] of CLOCKS) {
  test(`runDataplane() ${warning === undefined ? "is silent about" : "warns of"} a clock ${minutes} minutes ahead`, async () => {
    const clock = (): Date => new Date(Date.now() - minutes * 60_000);
    await using other = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]), { clock });
    const { code, notes } = await launch({ name: "x", cpAddress: other.url, caCertFile: ca, dryRun: true });
    assert.equal(code, 0);
    if (warning === undefined) assert.deepEqual(notes, []);
    else assert.match(notes.join("\n"), warning);
  });
}

test("runDataplane() says that no TLS is spoken at the address", async () => {
  const plain = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const port = await listen(plain);
  const error = await failure({ name: "x", cpAddress: `https://localhost:${port}`, caCertFile: ca });
  plain.close();
  assert.match(error.message, /does not speak TLS/);
  assert.match(error.next.join(), /5678/);
});

test("runDataplane() says at once that nobody listens, tries again, and gives up in time", async () => {
  const started = performance.now();
  const port = await freePort();
  const retry = { HEDDLE_CONTROL_PLANE_RETRY_BACKOFF: "100ms", KUMA_CONTROL_PLANE_RETRY_MAX_DURATION: "500ms" };
  const error = await failure({ name: "x", cpAddress: `https://localhost:${port}`, caCertFile: ca }, retry);
  assert.equal(error.message, `Cannot reach the control plane at "https://localhost:${port}": nobody listens there`);
  assert.match(error.next.join(), /heddle cp run/);
  assert.ok(performance.now() - started < 3_000);
});

test("runDataplane() waits for a control plane that comes later", async () => {
  const port = await freePort();
  const waiting = launch(
    { name: "x", cpAddress: `https://localhost:${port}`, caCertFile: ca, dryRun: true },
    { HEDDLE_CONTROL_PLANE_RETRY_BACKOFF: "100ms" },
  );
  await using late = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]), { port });
  const { code } = await waiting;
  assert.equal(code, 0);
  assert.equal(late.asked.length, 1);
});

test("runDataplane() says what it waits for, once", async () => {
  let failures = 5;
  await using busy = await startTestControlPlane(({ body }) =>
    failures-- > 0 ? { status: 503, text: "the database is away" } : testBootstrap(body["workdir"]),
  );
  const { notes } = await launch(
    { name: "x", cpAddress: busy.url, caCertFile: ca, dryRun: true },
    { HEDDLE_CONTROL_PLANE_RETRY_BACKOFF: "20ms" },
  );
  assert.equal(busy.asked.length, 6);
  assert.equal(notes.length, 1);
  assert.match(notes.join(), /HTTP 503.*the database is away.*trying again every 0.02 s for 300 s/);
});

const refusals = [
  [422, "dataplane token is required", /request is refused/, /generate dataplane-token/],
  [
    422,
    '{"title":"Resource is not valid","invalid_parameters":[{"field":"mesh","reason":"mesh demo is not there"}]}',
    /request is refused/,
    /mesh/,
  ],
  [401, "token is for mesh other", /token is refused/, /generate dataplane-token/],
  [400, "SAN mismatch", /request is refused/, /cp-address/],
] as const;

for (const [status, text, message, next] of refusals) {
  test(`runDataplane() takes HTTP ${status} (${text.slice(0, 20)}) as final, with the control plane's words`, async () => {
    await using strict = await startTestControlPlane(() => ({ status, text }));
    const error = await failure({ name: "x", cpAddress: strict.url, caCertFile: ca });
    assert.equal(strict.asked.length, 1);
    assert.match(error.message, message);
    assert.match(error.details.join("\n"), text.startsWith("{") ? /mesh: mesh demo is not there/ : new RegExp(text));
    assert.match(error.next.join("\n"), next);
  });
}

test("runDataplane() keeps asking for a Dataplane that is not there yet, and says how to make it", async () => {
  await using empty = await startTestControlPlane(() => ({ status: 404, text: "not found" }));
  const retry = { HEDDLE_CONTROL_PLANE_RETRY_BACKOFF: "50ms", HEDDLE_CONTROL_PLANE_RETRY_MAX_DURATION: "300ms" };
  const error = await failure({ name: "x", cpAddress: empty.url, caCertFile: ca }, retry);
  assert.ok(empty.asked.length > 2);
  assert.match(error.next.join(), /heddle apply/);
});

for (const [what, answer, message] of [
  ["no bootstrap at all", { status: 200, text: "<html>" }, /no admin address/],
  ["a bootstrap without an admin address", "node: {}", /no admin address/],
  ["a bootstrap that is no YAML", "a: [", /no YAML/],
] as const) {
  test(`runDataplane() refuses ${what}`, async () => {
    await using odd = await startTestControlPlane(() => answer);
    assert.match((await failure({ name: "x", cpAddress: odd.url, caCertFile: ca })).message, message);
  });
}

test("runDataplane() says which port of the bootstrap is in use", async () => {
  const holder = createServer();
  const port = await listen(holder);
  await using tcp = await startTestControlPlane(
    () => `admin: { address: { socketAddress: { address: 127.0.0.1, portValue: ${port} } } }`,
  );
  const error = await failure({ name: "x", cpAddress: tcp.url, caCertFile: ca });
  holder.close();
  assert.match(
    error.message,
    new RegExp(
      `127.0.0.1:${port}, which Envoy's admin interface needs, is in use by process ".+" \\(pid ${process.pid}\\)`,
    ),
  );
  assert.match(error.next.join(), /--admin-port/);
});

test("runDataplane() says which inbound and which outbound cannot listen, before it asks the control plane", async () => {
  const holder = createServer();
  const port = await listen(holder);
  const dataplane = JSON.stringify({
    type: "Dataplane",
    mesh: "default",
    name: "x",
    networking: {
      address: "127.0.0.1",
      inbound: [{ port, servicePort: 1, name: "web" }],
      outbound: [{ address: "192.0.2.1", port: 9_000, backendRef: { kind: "MeshService", name: "api", port: 80 } }],
    },
  });
  const error = await failure({ dataplane, cpAddress: "https://localhost:1" });
  holder.close();
  assert.equal(error.code, "port_in_use");
  assert.match(error.message, new RegExp(`${port}, which inbound web needs, is in use .* \\(and 1 more\\)`));
  assert.match(error.details.join(), /192\.0\.2\.1:9000, which outbound api needs, is no address of this machine/);
  assert.match(error.next.join(), /networking\.inbound\[0\]\.port/);
});

test("runDataplane() says that the program of --binary-path is no Envoy", async () => {
  const error = await failure({ name: "x", cpAddress: cp.url, binaryPath: "/bin/true" });
  assert.equal(error.code, "no_envoy");
  assert.match(error.message, /"\/bin\/true" of --binary-path/);
});

test("runDataplane() refuses a work directory that is too deep for a socket", async () => {
  const error = await failure({ name: "x", cpAddress: cp.url, caCertFile: ca, workDir: join(folder, "d".repeat(90)) });
  assert.equal(error.code, "work_dir");
  assert.match(error.message, /too long for the socket/);
});

test("runDataplane() ends with 0 when it is asked to stop before Envoy runs", async () => {
  const controller = new AbortController();
  await using silent = await startTestControlPlane(() => {
    controller.abort();
    return { status: 503, text: "" };
  });
  const { code, notes } = await launch({ name: "x", cpAddress: silent.url, caCertFile: ca }, {}, controller.signal);
  assert.equal(code, 0);
  assert.match(notes.at(-1) ?? "", /Stopped before Envoy was started/);
});

test("runDataplane() prints the bootstrap of a dry run without the token, and starts nothing", async () => {
  const token = ["{}", '{"Mesh":"default"}', "very-secret"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
  await using cp = await startTestControlPlane(
    ({ body }) => `# ${String(body["dataplaneToken"])}\n${testBootstrap("/tmp/x")}`,
  );
  const { code, printed } = await launch({
    name: "x",
    cpAddress: cp.url,
    caCertFile: ca,
    dataplaneToken: token,
    dryRun: true,
  });
  assert.equal(code, 0);
  assert.match(printed, /^# <token>\nadmin:/);
});
