import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listenFailure } from "@heddle/api/http/listen.ts";
import { isDuration, toMillis } from "@heddle/model/duration.ts";
import { z } from "zod";
import type { Progress } from "../mesh/progress.ts";
import { createHttpServer } from "../tls/create-http-server.ts";
import type { PortTls } from "../tls/server-tls.ts";
import { ASSIGNMENT_TYPE, type Assignments } from "./assignments.ts";

/** Kuma's path. Prometheus has it built in, as `kuma_sd_configs`. */
const PATH = "/v3/discovery:monitoringassignments";
const MAX_BODY_BYTES = 65_536;
const MAX_WAIT_MILLIS = 300_000;
/** A roll-out brings many changes in a row: whoever waits is told of all of them at once. */
const SETTLE_MILLIS = 200;

export interface MonitoringOptions {
  readonly host: string;
  readonly port: number;
  /** Makes it HTTPS. */
  readonly tls?: PortTls | undefined;
  /** How long a request waits for news when it does not say. */
  readonly fetchTimeout: number;
  readonly progress: Progress;
  readonly assignmentsFor: (clientId: string) => Assignments;
}

/**
 * Tells Prometheus which proxies there are to ask, as Kuma's monitoring assignment discovery service does: a request that
 * has the newest version waits until there is a newer one, or gets 304 when its time is over.
 */
export async function serveMonitoring(
  options: MonitoringOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const ending = new AbortController();
  const server = createHttpServer(options.tls, (request, response) => {
    void handle(request, response, { ...options, ending: ending.signal }).catch((cause: Error) => {
      if (!response.headersSent) answer(response, 500, { title: "Cannot tell what to monitor", detail: cause.message });
    });
  });
  const { host, port } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen({ host, port }, resolve);
  await promise.catch(async (cause: unknown) => {
    const setting = "--mads-port / HEDDLE_MONITORING_ASSIGNMENT_SERVER_PORT";
    throw await listenFailure(cause, { host, port, setting });
  });
  return {
    port: (server.address() as { readonly port: number }).port,
    async [Symbol.asyncDispose]() {
      ending.abort();
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

interface Handling extends MonitoringOptions {
  readonly ending: AbortSignal;
}

async function handle(request: IncomingMessage, response: ServerResponse, handling: Handling): Promise<void> {
  const [path, query] = (request.url ?? "/").split("?", 2);
  if (path !== PATH) return answer(response, 404, { title: `Not found: served here is POST ${PATH}` });
  if (request.method !== "POST") return answer(response, 405, { title: `Only POST is served at ${PATH}` });
  const question = readQuestion(await bodyOf(request));
  if (question === undefined)
    return answer(response, 400, {
      title: "Could not parse request body",
      detail: "it must be a DiscoveryRequest in JSON",
    });
  const timeout = new URLSearchParams(query).get("fetch-timeout") ?? `${handling.fetchTimeout}ms`;
  if (!isDuration(timeout))
    return answer(response, 400, {
      title: "Could not parse fetch-timeout",
      detail: 'it must be a duration such as "30s"',
    });
  const news = await newsFor(question, Math.min(toMillis(timeout), MAX_WAIT_MILLIS), response, handling);
  if (news === undefined) return void response.writeHead(304).end();
  const { version, resources } = news;
  answer(response, 200, { version_info: version, resources, type_url: ASSIGNMENT_TYPE, nonce: version });
}

interface Question {
  readonly version: string;
  readonly clientId: string;
}

/** What there is beyond the version that the asker has; undefined when nothing came in time. */
async function newsFor(
  { version, clientId }: Question,
  millis: number,
  response: ServerResponse,
  { progress, assignmentsFor, ending }: Handling,
): Promise<Assignments | undefined> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const enough = AbortSignal.any([gone.signal, ending, AbortSignal.timeout(millis)]);
  for (;;) {
    const current = assignmentsFor(clientId);
    if (current.version !== version) return current;
    if (millis === 0) return undefined;
    try {
      await progress.wait(enough);
      await sleep(SETTLE_MILLIS, undefined, { signal: enough });
    } catch {
      return undefined;
    }
  }
}

// Protobuf's JSON form has two spellings, and fields that are of no interest here.
const questionSchema = z.looseObject({
  version_info: z.string().optional(),
  versionInfo: z.string().optional(),
  node: z.looseObject({ id: z.string().optional() }).nullish(),
});

function readQuestion(body: string | undefined): Question | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body ?? "");
  } catch {
    return undefined;
  }
  const read = questionSchema.safeParse(json);
  if (!read.success) return undefined;
  const { version_info = "", versionInfo = version_info, node } = read.data;
  return { version: versionInfo, clientId: node?.id ?? "" };
}

/** The whole body; undefined when it is more than anybody needs. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
