import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { before, test, type TestContext } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, meshService, startLab } from "../support/lab.ts";
import { inNamespace } from "../support/namespace.ts";
import { certificateFor } from "../support/outside.ts";

// What the application sends comes from an address of its own, so that the machine redirects this and nothing else.
const [PROXY, APPLICATION, STRANGER] = ["10.77.0.1", "10.77.0.9", "10.77.0.66"];
// Servers outside of the mesh. They tell at which of these addresses they were called.
const [API, OTHER, IN_RANGE, VIRTUAL] = ["10.77.1.1", "10.77.1.2", "10.77.2.1", "10.77.3.1"];
const [APPLICATION_6, OTHER_6] = ["fd77::9", "fd77::2"];
const HAS_IPV6 = existsSync("/proc/net/if_inet6");

const addresses = [PROXY, APPLICATION, STRANGER, API, OTHER, IN_RANGE, VIRTUAL].map((address) => `${address}/32`);
const redirect = (family: 4 | 6, source: string, port: number) => ({
  family,
  rule: `-A OUTPUT -p tcp -s ${source} -j REDIRECT --to-ports ${port}`,
});
const machine = {
  addresses: [...addresses, ...(HAS_IPV6 ? [APPLICATION_6, OTHER_6].map((address) => `${address}/128`) : [])],
  hosts: { "api.example.test": API },
  rules: [
    redirect(4, APPLICATION, 15_001),
    redirect(4, STRANGER, 15_006),
    ...(HAS_IPV6 ? [redirect(6, APPLICATION_6, 15_001)] : []),
  ],
};

inNamespace(import.meta.filename, machine, () => {
  before(startOutside);

  test("MeshPassthrough decides what leaves the mesh", { timeout: 50_000 }, async (t) => {
    const lab = await startMesh(t);

    await t.test("without any, everything passes", async () => {
      assert.equal(await http(OTHER, 80, "anybody.test"), OTHER);
      assert.equal(await http(OTHER, 8080, "anybody.test"), OTHER);
      assert.equal(await tls(OTHER, "anybody.test"), OTHER);
      assert.equal(await greeting(OTHER, 3306), `hello from ${OTHER}`);
      if (HAS_IPV6) assert.equal(await http(OTHER_6, 80, "anybody.test", APPLICATION_6), OTHER_6);
      await meshTrafficWorks();
    });

    await t.test("what is sent to the redirect port itself is closed, not sent around in circles", async () => {
      const before = await connectionsMade();
      assert.equal(await http("127.0.0.1", 15_001, "anybody.test", "127.0.0.1"), "closed");
      assert.equal(await http(PROXY, 15_001, "anybody.test"), "closed");
      assert.equal(await http(PROXY, 15_006, "anybody.test", STRANGER), "closed");
      const made = (await connectionsMade()) - before;
      assert.ok(made < 100, `three calls became ${made} connections`);
    });

    await t.test("what comes in by redirection reaches its inbound, and other ports as they are", async () => {
      assert.equal(await http(PROXY, 9_000, "web", STRANGER), "web");
      assert.equal(await http(PROXY, 8080, "web", STRANGER), PROXY);
    });

    await t.test("None lets nothing pass, and takes effect while applications run", async () => {
      await using open = await openConnection(OTHER, 8080);
      await lab.apply(policy({ passthroughMode: "None" }));
      await eventually(async () => assert.equal(await http(OTHER, 80, "anybody.test"), "closed"));
      assert.equal(await tls(API, "api.example.test"), "closed");
      assert.equal(await greeting(OTHER, 3306), "closed");
      await eventually(() => assert.ok(open.socket.closed, "a connection from before is still open"));
      if (HAS_IPV6) assert.equal(await http(OTHER_6, 80, "anybody.test", APPLICATION_6), "closed");
      await meshTrafficWorks();
    });

    await t.test("Matched lets pass what is listed", async (inner) => {
      await lab.apply(policy({ appendMatch: LISTED }));
      await eventually(async () => assert.equal(await http(IN_RANGE, 8080, "anybody.test"), IN_RANGE));
      for (const [what, call, expected] of CALLS)
        await inner.test(`${what}: ${expected.slice(0, 40)}`, async () => assert.equal(await call(), expected));
      await meshTrafficWorks();
    });

    await t.test("All lets everything pass again", async () => {
      await lab.apply(policy({ passthroughMode: "All" }));
      await eventually(async () => assert.equal(await http(OTHER, 80, "anybody.test"), OTHER));
      assert.equal(await tls(OTHER, "anybody.test"), OTHER);
      await meshTrafficWorks();
    });

    await t.test("a proxy that nothing is redirected to is told that the policy has no effect", async () => {
      const answer = (await lab.get("/meshes/default/dataplanes/backend-1/_rules")) as Rules;
      const { warnings = [] } = answer.rules.find(({ type }) => type === "MeshPassthrough") ?? {};
      assert.match(warnings.join(), /^has no effect on this proxy: .*redirectPortOutbound/);
    });
  });
});

interface Rules {
  readonly rules: readonly { readonly type: string; readonly warnings: readonly string[] }[];
}

const LISTED = [
  { type: "Domain", value: "api.example.test", port: 80, protocol: "http" },
  { type: "Domain", value: "*.wild.test", port: 80, protocol: "http" },
  { type: "Domain", value: "api.example.test", port: 443, protocol: "tls" },
  { type: "Domain", value: "*.wild.test", port: 443, protocol: "tls" },
  { type: "CIDR", value: "10.77.2.0/24", port: 8080 },
  { type: "CIDR", value: "10.77.2.0/24", port: 443 },
  { type: "IP", value: OTHER, port: 3306, protocol: "mysql" },
  { type: "IP", value: OTHER, port: 25 },
  { type: "IP", value: OTHER_6, port: 8080, protocol: "http" },
];

const REFUSED = "503 heddle: no MeshPassthrough lets requests for this host leave; add it to default.appendMatch\n";

// Which call is made, and what answers it: the address that a server was called at, or what became of the call.
const CALLS: readonly (readonly [string, () => Promise<string>, string])[] = [
  ["a listed host", () => http(API, 80, "api.example.test"), API],
  ["a listed host with its port", () => http(API, 80, "api.example.test:80"), API],
  ["a listed host, said at an address that is not its own", () => http(OTHER, 80, "api.example.test"), API],
  ["a host below a wildcard", () => http(OTHER, 80, "a.b.wild.test"), OTHER],
  ["a host that is listed nowhere", () => http(API, 80, "other.test"), REFUSED],
  ["the name of a wildcard itself", () => http(OTHER, 80, "wild.test"), REFUSED],
  ["a listed host on another port", () => http(API, 8080, "api.example.test"), "closed"],
  ["a listed server name", () => tls(API, "api.example.test"), API],
  ["a listed server name, said at an address that is not its own", () => tls(OTHER, "api.example.test"), API],
  ["a server name below a wildcard", () => tls(OTHER, "a.wild.test"), OTHER],
  ["a server name that is listed nowhere", () => tls(API, "other.test"), "closed"],
  ["no server name", () => tls(API, ""), "closed"],
  ["TLS in a listed range", () => tls(IN_RANGE, "other.test"), IN_RANGE],
  ["a listed server name at an address in a listed range", () => tls(IN_RANGE, "api.example.test"), API],
  ["HTTP in a listed range", () => http(IN_RANGE, 8080, "other.test"), IN_RANGE],
  ["another port in a listed range", () => greeting(IN_RANGE, 3306), "closed"],
  ["a server that speaks first, at a listed address", () => greeting(OTHER, 3306), `hello from ${OTHER}`],
  ["the same on a port that nothing else is listed for", () => greeting(OTHER, 25), `hello from ${OTHER}`],
  ["the same at another address", () => greeting(API, 3306), "closed"],
  ...(HAS_IPV6
    ? ([
        ["a listed address of IPv6", () => http(OTHER_6, 8080, "other.test", APPLICATION_6), OTHER_6],
        ["another port there", () => greeting(OTHER_6, 3306, APPLICATION_6), "closed"],
      ] as const)
    : []),
];

function policy(conf: object): string {
  return stringify({ type: "MeshPassthrough", mesh: "default", name: "outside", spec: { default: conf } });
}

async function startMesh(t: TestContext): Promise<Lab> {
  const lab = await startLab(t);
  const [web, backend] = [await application(t, "web"), await application(t, "backend")];
  await lab.apply(`type: Mesh\nname: default\n---\n${meshService("backend")}`);
  const backendRef = { kind: "MeshService", name: "backend", port: 80 };
  const started = lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: backend.port });
  await lab.sidecar({
    name: "web-1",
    labels: { app: "web" },
    networking: {
      address: PROXY,
      inbound: [{ port: 9_000, servicePort: web.port, name: "main", protocol: "http" }],
      outbound: [
        { port: 10_001, backendRef },
        { address: VIRTUAL, port: 80, backendRef },
      ],
      transparentProxying: {
        redirectPortInbound: 15_006,
        redirectPortOutbound: 15_001,
        ipFamilyMode: HAS_IPV6 ? "DualStack" : "IPv4",
      },
    },
  });
  await started;
  return lab;
}

/** By an outbound on loopback, and by one at an address whose connections are redirected. */
async function meshTrafficWorks(): Promise<void> {
  assert.equal(await http("127.0.0.1", 10_001, "backend", "127.0.0.1"), "backend");
  assert.equal(await http(VIRTUAL, 80, "backend"), "backend");
}

async function startOutside(): Promise<void> {
  const answer = ({ socket }: IncomingMessage, response: ServerResponse): void => void response.end(calledAt(socket));
  const greet = (socket: Socket): void => void socket.on("error", () => {}).end(`hello from ${calledAt(socket)}`);
  const identity = await certificateFor(["outside.test"]);
  const servers: readonly (readonly [Server, number])[] = [
    [createHttpServer(answer), 80],
    [createHttpServer(answer), 8080],
    [createHttpsServer(identity, answer), 443],
    [createServer(greet), 3306],
    [createServer(greet), 25],
  ];
  for (const [server, port] of servers) {
    server.listen(port, HAS_IPV6 ? "::" : "0.0.0.0").unref();
    await once(server, "listening");
  }
}

function calledAt({ localAddress = "" }: Socket): string {
  return localAddress.replace(/^::ffff:/, "");
}

/** What answers a request: a body, with its status when that is not 200, or "closed". */
async function http(address: string, port: number, host: string, from: string = APPLICATION): Promise<string> {
  const asked = request({ host: address, port, localAddress: from, headers: { host }, agent: false, timeout: 5_000 });
  return await answerTo(asked);
}

/** The same over TLS, by server name. */
async function tls(address: string, servername: string): Promise<string> {
  const socket = connect({ host: address, port: 443, localAddress: APPLICATION });
  const secured = connectTls({ socket, servername, rejectUnauthorized: false });
  return await answerTo(request({ createConnection: (): TLSSocket => secured, host: "outside.test", timeout: 5_000 }));
}

async function answerTo(asked: ReturnType<typeof request>): Promise<string> {
  asked.on("timeout", () => asked.destroy(new Error("no answer after five seconds")));
  try {
    const [answer] = (await once(asked.end(), "response")) as [IncomingMessage];
    const body = (await answer.toArray()).join("");
    return answer.statusCode === 200 ? body : `${answer.statusCode} ${body}`;
  } catch (error) {
    return closedBy(error);
  }
}

/** What a server says before anything was said to it, or "closed". */
async function greeting(address: string, port: number, from: string = APPLICATION): Promise<string> {
  const socket = connect({ host: address, port, localAddress: from }).setTimeout(5_000);
  socket.on("timeout", () => socket.destroy(new Error("no greeting after five seconds")));
  try {
    const said = (await socket.toArray()).join("");
    return said === "" ? "closed" : said;
  } catch (error) {
    return closedBy(error);
  }
}

async function openConnection(host: string, port: number): Promise<AsyncDisposable & { readonly socket: Socket }> {
  const socket = connect({ host, port, localAddress: APPLICATION }).resume();
  socket.on("error", () => {});
  await once(socket, "connect");
  return { socket, [Symbol.asyncDispose]: async () => void socket.destroy() };
}

/** How many connections anybody on this machine has opened so far, by the kernel's count. */
async function connectionsMade(): Promise<number> {
  const [names = [], values = []] = (await readFile("/proc/net/snmp", "utf8"))
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("ActiveOpens")]);
}

function closedBy(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "EPIPE" ? "closed" : message;
}
