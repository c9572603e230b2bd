import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@heddle/control-plane/config.ts";
import { type ControlPlane, startControlPlane } from "@heddle/control-plane/control-plane.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { ADS_PATH } from "@heddle/xds/ads-service.ts";
import { HEALTH_PATH } from "@heddle/xds/health-service.ts";
import { documents } from "../corpus.ts";
import { HOSTILE_TEXTS } from "../dictionary.ts";
import { mutateBytes, mutateTree } from "../mutate.ts";
import type { Random } from "../random.ts";
import { holds, type Target, type TargetPlan, textOf } from "../target.ts";
import { REQUESTS } from "./discovery.ts";

/** A server answers, or closes the connection, within this time. */
const PATIENCE_MILLIS = 5_000;

/** A control plane with a store in memory, on free ports; what it reports as its own failures is a finding. */
async function open(stack: AsyncDisposableStack): Promise<{ controlPlane: ControlPlane; failures: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-fuzz-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const ports = {
    apiHttpPort: 0,
    apiHttpsEnabled: "false",
    dpPort: 0,
    diagnosticsPort: 0,
    rateLimitPort: 0,
    madsPort: 0,
  };
  const config = loadConfig({
    env: {},
    flags: { storeType: "memory", dataFolder: folder, madsFetchTimeout: "0s", ...ports },
  });
  if (!config.ok) throw new Error(JSON.stringify(config.violations));
  const failures: string[] = [];
  const log = textLog(0, (line) => {
    if (/\b(ERROR|error:)|Cannot answer|failed/.test(line)) failures.push(line);
  });
  const controlPlane = stack.use(await startControlPlane(config.value, log));
  return { controlPlane, failures };
}

const PATHS = [
  "/",
  "/meshes",
  "/meshes/default",
  "/meshes/default/dataplanes",
  "/meshes/default/dataplanes/web",
  "/meshes/default/meshtimeouts/x",
  "/meshes/default/dataplanes/web/_overview",
  "/meshes/default/dataplanes/web/_config",
  "/meshes/default/dataplanes/web/_rules",
  "/meshes/default/dataplanes/web/_layout",
  "/meshes/default/secrets/s",
  "/globalsecrets",
  "/zones/z",
  "/_resources",
  "/_kri/kri_mt_default__x_y_",
  "/meshes/default/meshservices/a/_hostnames",
  "/tokens/dataplane",
  "/tokens/user",
  "/_plan",
  "/who-am-i",
  "/config",
  "/policies",
  "/versions",
  "/rollouts/1",
  "/global-insight",
  "/meshes/default/service-insights",
  "/_schemas/Mesh",
  "/api/openapi",
  "/can-i",
  "/mesh-insights",
];
const QUERIES = [
  "",
  "?size=1",
  "?filter[labels.a]=b",
  "?tag=a:b&gateway=true",
  "?format=kubernetes&namespace=x",
  "?dryRun=true",
  "?offset=9&name=w",
];
const METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "get", "BREW"];
const HEADERS = [
  "Accept: application/yaml",
  "Authorization: Bearer x.y.z",
  "Authorization: Basic ",
  "Content-Encoding: gzip",
  "Expect: 100-continue",
  "Host: evil",
  "Transfer-Encoding: chunked",
  "Content-Length: 5",
  "If-Match: 1",
  "If-None-Match: *",
  "Upgrade: h2c",
  "Connection: upgrade",
  "X-Forwarded-For: 1.2.3.4",
  "Range: bytes=0-1",
  "Cookie: a=b",
  "Origin: null",
  " folded: x",
  "Bad Header: x",
  "Sec-Fetch-Site: cross-site",
];

const rest: TargetPlan = { name: "rest-requests", share: 2, open: openRest };

async function openRest(stack: AsyncDisposableStack): Promise<Target> {
  const { controlPlane, failures } = await open(stack);
  const trees = [...documents(5), ...WISHES];
  const port = Number(new URL(controlPlane.apiUrl).port);
  const paths = [...PATHS, ...(await describedPaths(controlPlane.apiUrl))];
  return {
    name: "rest-requests",
    make: (random) => request(random, { paths, trees }),
    run: async (input) => check(await exchange(connectTcp(port, "127.0.0.1"), input), failures),
  };
}

/** Bodies of what is no resource. */
const WISHES = [
  { to: "ca-2", removeOld: true },
  { identity: "identity" },
  { name: "web", mesh: "default", validFor: "1h", tags: { a: ["b"] } },
  { name: "a", groups: ["g"], validFor: "1h" },
  { resources: [{ type: "Mesh", name: "default" }] },
];

/** Every path that the API says it has: of the default mesh, and of what is called x. */
async function describedPaths(url: string): Promise<readonly string[]> {
  const { paths } = (await (await fetch(new URL("/openapi.json", url))).json()) as { readonly paths: object };
  const described = Object.keys(paths).map((path) =>
    path.replaceAll("{mesh}", "default").replaceAll(/\{[^}]+\}/g, "x"),
  );
  for (const wanted of ["/meshes/default/ca-rotations", "/encryption-key/rotate"]) {
    holds(described.includes(wanted), `the API describes ${wanted}`);
  }
  return described;
}

/** The bytes of a request that is nearly right, or not at all. */
function request(
  random: Random,
  { paths, trees }: { readonly paths: readonly string[]; readonly trees: readonly unknown[] },
): Uint8Array {
  const tree = mutateTree(random.pick(trees), trees, random) as { type?: unknown; name?: unknown } | null;
  const path = pathFor(random, paths, tree);
  const body = random.oneIn(3) ? Buffer.alloc(0) : Buffer.from(JSON.stringify(tree) ?? "");
  const type = random.oneIn(9) ? "application/yaml" : "application/json";
  const more = Array.from({ length: random.oneIn(3) ? random.below(4) : 0 }, () => `${random.pick(HEADERS)}\r\n`).join(
    "",
  );
  const method = random.oneIn(3) ? random.pick(METHODS) : random.pick(["GET", "PUT", "POST"]);
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n${more}\r\n`;
  const bytes = Buffer.concat([Buffer.from(head, "latin1"), body]);
  return random.oneIn(4) ? mutateBytes(bytes, bytes, random) : bytes;
}

function pathFor(random: Random, paths: readonly string[], tree: { type?: unknown; name?: unknown } | null): string {
  const own = `/meshes/default/${String(tree?.type).toLowerCase()}s/${String(tree?.name)}`;
  const path = (random.oneIn(2) ? own : random.pick(paths)) + random.pick(QUERIES);
  const hostile = encodeURIComponent(random.pick(HOSTILE_TEXTS).toWellFormed());
  const pieces = path.split("/");
  return (random.oneIn(3) ? pieces.with(random.below(pieces.length), hostile).join("/") : path).replaceAll(
    /[^\x21-\x7E]/g,
    "_",
  );
}

type Socket = ReturnType<typeof connectTcp>;

/** Sends bytes, ends its side, and gives what came back until the other side ended too. */
async function exchange(socket: Socket, bytes: Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const late = setTimeout(
    () => reject(new Error(`neither answered nor closed within ${PATIENCE_MILLIS} ms`)),
    PATIENCE_MILLIS,
  );
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    answer += text;
    // Lines come for as long as somebody listens.
    if (answer.includes("application/x-ndjson")) resolve(answer);
  });
  // The server may close before it has read all.
  socket.on("error", () => resolve(answer));
  socket.on("close", () => resolve(answer));
  socket.end(bytes);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

function check(answer: string, failures: string[]): void {
  const failure = failures.shift();
  if (failure !== undefined) throw new Error(`the control plane reports: ${failure}`);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  holds(status < 500 || status === 501, `no answer is a failure of the server, not ${answer.slice(0, 400)}`);
}

const BODY = {
  mesh: "default",
  name: "web",
  dataplaneToken: "x.y.z",
  dataplaneResource: "type: Dataplane\nmesh: default\nname: web\nnetworking: { address: 192.0.2.1 }",
};

const launchers: TargetPlan = { name: "launcher-requests", share: 1, open: openLaunchers };

async function openLaunchers(stack: AsyncDisposableStack): Promise<Target> {
  const { controlPlane, failures } = await open(stack);
  const paths = ["/bootstrap", "/drain", "/ready", "/healthy", "//", "/x?y"];
  return {
    name: "launcher-requests",
    make: (random) => request(random, { paths, trees: [BODY] }),
    run: async (input) => {
      const socket = connectTls({
        port: controlPlane.dpPort,
        host: "127.0.0.1",
        ca: controlPlane.caPem,
        servername: "localhost",
        ALPNProtocols: ["http/1.1"],
      });
      check(await exchange(socket, input), failures);
    },
  };
}

const small: TargetPlan = { name: "small-servers", share: 3, open: openSmall };

/** Health and metrics, and what Prometheus asks. */
async function openSmall(stack: AsyncDisposableStack): Promise<Target> {
  const { controlPlane, failures } = await open(stack);
  const paths = [
    "/ready",
    "/healthy",
    "/metrics",
    "/v3/discovery:monitoringassignments",
    "/v3/discovery:monitoringassignments?fetch-timeout=0s",
  ];
  const trees = [{ version_info: "x", node: { id: "p" }, resource_names: [], type_url: "x" }];
  return {
    name: "small-servers",
    make: (random) => request(random, { paths, trees }),
    run: async (input) => {
      for (const port of [controlPlane.diagnosticsPort, controlPlane.madsPort ?? 0]) {
        check(await exchange(connectTcp(port, "127.0.0.1"), input), failures);
      }
    },
  };
}

const streams: TargetPlan = { name: "discovery-streams", share: 6, open: openStreams };

/** gRPC streams on one HTTP/2 connection, as Envoy opens them. */
async function openStreams(stack: AsyncDisposableStack): Promise<Target> {
  const { controlPlane, failures } = await open(stack);
  const session = connectHttp2(`https://127.0.0.1:${controlPlane.dpPort}`, {
    ca: controlPlane.caPem,
    servername: "localhost",
  });
  stack.defer(() => session.destroy());
  return {
    name: "discovery-streams",
    make: (random) => {
      const request = mutateBytes(random.pick(REQUESTS), random.pick(REQUESTS), random);
      return random.oneIn(2) ? Buffer.concat([random.pick(REQUESTS), request]) : request;
    },
    run: async (input) => {
      const path = input.length % 3 === 0 ? HEALTH_PATH : ADS_PATH;
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        authorization: textOf(input.subarray(0, 40)).replaceAll(/[^\x21-\x7E]/g, ""),
      });
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = setTimeout(
        () => reject(new Error(`neither answered nor closed within ${PATIENCE_MILLIS} ms`)),
        PATIENCE_MILLIS,
      );
      stream
        .on("error", () => resolve())
        .on("close", () => resolve())
        .resume();
      // Some go away; not often, for who does so a hundred times a second is cut off.
      if (input.length % 199 === 0) stream.close(8);
      stream.end(input);
      await promise.finally(() => clearTimeout(late));
      holds(!session.destroyed, "a stream does not end the connection of others");
      check("", failures);
    },
  };
}

/** A running control plane, over its sockets. */
export const SERVER_TARGETS = [rest, launchers, small, streams];
