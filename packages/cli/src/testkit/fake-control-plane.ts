import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

/** What the fake says to one call. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a text. */
  readonly body?: unknown;
  /** Instead of a body: lines, each after a pause of so many milliseconds; a last pause keeps the answer open. */
  readonly lines?: readonly (readonly [pauseMillis: number, line: unknown])[];
}

/** A call as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Replies by "METHOD /path"; a function gets the call. */
export type Script = Readonly<Record<string, Reply | ((call: Received) => Reply)>>;

/** A REST API that plays a script on loopback and keeps every call. */
export interface FakeControlPlane extends AsyncDisposable {
  readonly address: string;
  readonly calls: readonly Received[];
}

/** Starts a fake on a free port. What the script does not have is answered with 404 in Kuma's error form. */
export async function startFake(script: Script): Promise<FakeControlPlane> {
  const calls: Received[] = [];
  const server = createServer(async (request, response) => {
    const call = await receive(request);
    calls.push(call);
    const reply = { ...BASICS, ...script }[`${call.method} ${call.path}`] ?? NOT_FOUND;
    await answer(response, typeof reply === "function" ? reply(call) : reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    calls,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const NOT_FOUND: Reply = {
  status: 404,
  body: {
    type: "/std-errors",
    status: 404,
    title: "Could not retrieve a resource",
    detail: "Not found",
    details: "Not found",
  },
};

const policy = { isTargetRef: true, hasToTargetRef: true, hasFromTargetRef: false, hasRulesTargetRef: true };
const BASICS: Script = {
  "GET /": { body: { product: "Heddle", version: "0.1.0", hostname: "cp", instanceId: "cp-1" } },
  "GET /versions": {
    body: { heddle: { version: "0.1.0" }, envoy: { supported: ["1.36", "1.37", "1.38", "1.39", "1.40"] } },
  },
  "GET /_resources": {
    body: {
      resources: [
        {
          name: "Dataplane",
          path: "dataplanes",
          scope: "Mesh",
          shortName: "dp",
          singularDisplayName: "Dataplane",
          pluralDisplayName: "Dataplanes",
          readOnly: false,
        },
        {
          name: "MeshIdentity",
          path: "meshidentities",
          scope: "Mesh",
          shortName: "mid",
          singularDisplayName: "Mesh Identity",
          pluralDisplayName: "Mesh Identities",
          readOnly: false,
        },
        {
          name: "GlobalSecret",
          path: "globalsecrets",
          scope: "Global",
          singularDisplayName: "Global Secret",
          pluralDisplayName: "Global Secrets",
          readOnly: false,
        },
        {
          name: "Mesh",
          path: "meshes",
          scope: "Global",
          shortName: "m",
          singularDisplayName: "Mesh",
          pluralDisplayName: "Meshes",
          readOnly: false,
        },
        {
          name: "MeshService",
          path: "meshservices",
          scope: "Mesh",
          shortName: "msvc",
          singularDisplayName: "Mesh Service",
          pluralDisplayName: "Mesh Services",
          readOnly: false,
        },
        {
          name: "MeshTimeout",
          path: "meshtimeouts",
          scope: "Mesh",
          shortName: "mt",
          singularDisplayName: "Mesh Timeout",
          pluralDisplayName: "Mesh Timeouts",
          readOnly: false,
          policy,
        },
        {
          name: "Secret",
          path: "secrets",
          scope: "Mesh",
          singularDisplayName: "Secret",
          pluralDisplayName: "Secrets",
          readOnly: false,
        },
      ],
    },
  },
};

async function receive(request: IncomingMessage): Promise<Received> {
  const url = new URL(request.url ?? "/", "http://fake");
  const body = await text(request);
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: body === "" ? undefined : JSON.parse(body),
  };
}

async function answer(response: ServerResponse, { status = 200, headers = {}, body, lines }: Reply): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(status, headers);
  for (const [pauseMillis, line] of lines ?? []) {
    // A caller who has gone needs no pause, and the test no process that waits for it.
    await pause(pauseMillis, undefined, { signal: gone.signal }).catch(() => undefined);
    if (line !== undefined) response.write(`${JSON.stringify(line)}\n`);
  }
  response.end(lines !== undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body ?? {}));
}
