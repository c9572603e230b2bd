import { createServer, type RequestListener } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Authorizer } from "../access/authorizer.ts";
import type { Auditor } from "../audit/audit-request.ts";
import { authenticate } from "../auth/authenticate.ts";
import { callerOf } from "../auth/caller.ts";
import { ANONYMOUS } from "../auth/users.ts";
import type { Ports, User } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";
import { ApiError } from "./api-error.ts";
import { asApiError, errorBody } from "./error-body.ts";
import { noRoute } from "./not-found.ts";
import { readJson } from "./read-json.ts";
import { readYaml } from "./read-yaml.ts";
import { apiRequest } from "./request.ts";
import type { Route } from "./route.ts";
import { send } from "./send.ts";

/** What is served, and with what. */
export interface Serving {
  readonly ports: Ports;
  readonly settings: ApiSettings;
  readonly routes: readonly Route[];
  readonly authorizer: Authorizer;
  /** Told of every call before it is answered. */
  readonly audit: Auditor | undefined;
  /** Aborts when the server stops. */
  readonly closing: AbortSignal;
}

/** Turns routes into one handler for any number of node:http and node:https servers. */
export async function requestListener(serving: Serving): Promise<RequestListener> {
  let handler: RequestListener | undefined;
  const app = fastify({
    // Fastify wants a server of its own; it gets one that never listens, and we keep the handler.
    serverFactory: (own) => {
      handler = own;
      return createServer();
    },
    bodyLimit: serving.settings.bodyLimitBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 2_048 },
    frameworkErrors: (error, request, reply) => void fail(serving, request, reply, error),
  });
  setUp(app, serving);
  await app.ready();
  if (handler === undefined) throw new Error("Cannot serve the API: the HTTP framework gave no handler");
  return handler;
}

function setUp(app: FastifyInstance, serving: Serving): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JSON_TYPES, { parseAs: "string" }, async (_: FastifyRequest, text: string) =>
    readJson(text),
  );
  app.addContentTypeParser(YAML_TYPES, { parseAs: "string" }, async (_: FastifyRequest, text: string) =>
    readYaml(text),
  );
  app.setErrorHandler((error, request, reply) => fail(serving, request, reply, error));
  const mounted = serving.routes.map((route) => ({ ...route, path: withBase(serving.settings, route.path) }));
  app.setNotFoundHandler((request, reply) =>
    fail(serving, request, reply, noRoute(mounted, request.method, request.url.split("?")[0] ?? "")),
  );
  app.addHook("onRequest", async (request) => {
    // RFC 9112, section 3.2: who stands in front may have meant the other one.
    if ((request.raw.headersDistinct["host"]?.length ?? 0) > 1)
      throw new ApiError(400, "Cannot tell which host is meant: send one Host header", {
        headers: { connection: "close" },
      });
  });
  app.addHook("onResponse", async (request, reply) => observe(serving, request, reply));
  for (const route of serving.routes) mount(app, serving, route);
}

const JSON_TYPES = ["application/json"];
const YAML_TYPES = ["application/yaml", "application/x-yaml", "text/yaml"];

interface RouteConfig {
  readonly template?: string;
  readonly title?: string;
}

function mount(app: FastifyInstance, serving: Serving, route: Route): void {
  const users = new WeakMap<FastifyRequest, User>();
  app.route({
    method: route.method,
    url: withBase(serving.settings, route.path.replaceAll(/\{(\w+)\}/g, ":$1")),
    config: { template: route.path, title: route.title } satisfies RouteConfig,
    // Before the body is read: who may not write cannot make us parse either.
    onRequest: async (request) => {
      const user = await identify(serving, route, request);
      users.set(request, user);
      admit(serving, route, request, user);
    },
    onSend: async (request, reply) => {
      // The answer waits: what was acknowledged has its record.
      await audit(serving, { route, user: users.get(request) ?? ANONYMOUS, request, reply });
    },
    handler: async (request, reply) => {
      const caller = callerOf(request.raw);
      const user = users.get(request) ?? ANONYMOUS;
      const parts = { request, reply, caller, user, closing: serving.closing };
      return send(reply, await route.handle(apiRequest(parts)));
    },
  });
}

/** Who calls. Throws 401 for a bad token. */
async function identify({ ports, settings }: Serving, route: Route, request: FastifyRequest): Promise<User> {
  if (route.needs === "open") return ANONYMOUS;
  const identified = await authenticate(callerOf(request.raw), {
    localhostIsAdmin: settings.localhostIsAdmin,
    verifyUserToken: ports.verifyUserToken,
  });
  if (!identified.ok) {
    const headers = { "www-authenticate": "Bearer" };
    throw new ApiError(401, identified.reason, { title: "Invalid authentication data", headers });
  }
  return identified.user;
}

/** Throws 403 for somebody who may not. */
function admit({ authorizer }: Serving, route: Route, request: FastifyRequest, user: User): void {
  const refusal = authorizer.admit(user, route, request.params as Readonly<Record<string, string>>);
  if (refusal !== undefined) throw new ApiError(403, refusal, { title: "Access Denied" });
}

const refusals = new WeakMap<FastifyRequest, string>();

interface Call {
  readonly route: Route;
  readonly user: User;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function audit(serving: Serving, { route, user, request, reply }: Call): Promise<void> {
  const header = (name: string): string | undefined => reply.getHeader(name)?.toString();
  try {
    await serving.audit?.({
      route,
      user,
      params: request.params as Readonly<Record<string, string>>,
      body: request.body,
      caller: callerOf(request.raw),
      status: reply.statusCode,
      revision: header("heddle-revision"),
      outcome: header("heddle-outcome"),
      reason: refusals.get(request),
    });
  } catch (cause) {
    serving.ports.reportFailure?.(`Cannot record ${request.method} ${templateOf(request)} for the audit`, cause);
  }
}

function fail({ ports }: Serving, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const known = asApiError(error);
  if (known === undefined) ports.reportFailure?.(`Cannot answer ${request.method} ${templateOf(request)}`, error);
  const shown = known ?? new ApiError(500, "Internal Server Error");
  if (shown.status === 401 || shown.status === 403) refusals.set(request, shown.message);
  const title = configOf(request).title ?? "Bad Request";
  const answer = { status: shown.status, headers: shown.headers, json: errorBody(shown, title) };
  return send(reply, answer);
}

function observe({ ports }: Serving, request: FastifyRequest, reply: FastifyReply): void {
  ports.observe?.({
    method: request.method,
    route: templateOf(request),
    status: reply.statusCode,
    seconds: reply.elapsedTime / 1_000,
  });
}

function templateOf(request: FastifyRequest): string {
  return configOf(request).template ?? "unknown";
}

/** Empty when no route was found, and when the path could not even be read. */
function configOf(request: FastifyRequest): RouteConfig {
  const { config } = request.routeOptions as { readonly config?: RouteConfig };
  return config ?? {};
}

function withBase({ basePath }: ApiSettings, path: string): string {
  const base = basePath.replace(/\/+$/, "");
  return path === "/" ? base || "/" : base + path;
}
