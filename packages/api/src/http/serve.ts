import { createServer, type RequestListener } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { authenticate } from "../auth/authenticate.ts";
import { refusalOf } from "../auth/authorize.ts";
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
      users.set(request, await admit(serving, route, request));
    },
    handler: async (request, reply) => {
      const caller = callerOf(request.raw);
      const user = users.get(request) ?? ANONYMOUS;
      const parts = { request, reply, caller, user, closing: serving.closing };
      return send(reply, await route.handle(apiRequest(parts)));
    },
  });
}

/** Who calls. Throws 401 for a bad token and 403 for somebody who may not. */
async function admit({ ports, settings }: Serving, route: Route, request: FastifyRequest): Promise<User> {
  if (route.needs === "open") return ANONYMOUS;
  const identified = await authenticate(callerOf(request.raw), {
    localhostIsAdmin: settings.localhostIsAdmin,
    verifyUserToken: ports.verifyUserToken,
  });
  if (!identified.ok) {
    const headers = { "www-authenticate": "Bearer" };
    throw new ApiError(401, identified.reason, { title: "Invalid authentication data", headers });
  }
  const refusal = refusalOf(identified.user, route.needs, settings);
  if (refusal !== undefined) throw new ApiError(403, refusal, { title: "Access Denied" });
  return identified.user;
}

function fail({ ports }: Serving, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const known = asApiError(error);
  if (known === undefined) ports.reportFailure?.(`Cannot answer ${request.method} ${templateOf(request)}`, error);
  const shown = known ?? new ApiError(500, "Internal Server Error");
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
