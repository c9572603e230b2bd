import type { ServerResponse } from "node:http";
import { inspectJsonText } from "@heddle/api/http/json-text.ts";
import { parseJson } from "@heddle/model/json.ts";
import type { HttpHandler } from "@heddle/xds/server.ts";
import { type BootstrapExchangeOptions, exchangeBootstrap } from "./bootstrap-exchange.ts";
import { announceLeave, type LeaveOptions } from "./leave.ts";

/** A request over HTTP/1.1 or HTTP/2. */
type HttpRequest = Parameters<HttpHandler>[0];

const LARGEST_BODY = 1_048_576;
const BODY_MILLIS = 10_000;

/** Answers what is not gRPC on the data plane server's port: bootstrap, goodbye, health. */
export function dataplaneHandler(options: BootstrapExchangeOptions & LeaveOptions): HttpHandler {
  return (request, response) => {
    void answer(options, request).then(
      (answered) => send(response, answered),
      () => send(response, text(500, "Cannot answer: an error of the control plane; its log has more")),
    );
  };
}

function send(response: Parameters<HttpHandler>[1], { status, contentType, body }: Answer): void {
  response.statusCode = status;
  // Both kinds of response have these; their overloads are too different for a common signature.
  const out = response as ServerResponse;
  out.setHeader("content-type", contentType);
  // A body that was too large is not read to its end, so an HTTP/1.1 connection cannot be used again.
  if (status === 413 && out.req.httpVersionMajor === 1) out.setHeader("connection", "close");
  out.end(body);
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

async function answer(options: BootstrapExchangeOptions & LeaveOptions, request: HttpRequest): Promise<Answer> {
  const [path] = (request.url ?? "/").split("?");
  if (request.method === "GET" && (path === "/ready" || path === "/healthy")) return text(200, "OK");
  if (request.method !== "POST" || (path !== "/bootstrap" && path !== "/drain")) {
    return text(404, "served here: POST /bootstrap, POST /drain, GET /ready, and gRPC for Envoy");
  }
  const body = await readJson(request);
  if ("status" in body) return body;
  if (path === "/drain") return await announceLeave(options, body.json, headerOf(request, "authorization"));
  return await exchangeBootstrap(options, body.json, {
    host: headerOf(request, ":authority") ?? headerOf(request, "host") ?? "",
    wantsJson: headerOf(request, "accept")?.includes("application/json") ?? false,
    localPort: request.socket.localPort ?? 443,
  });
}

async function readJson(request: HttpRequest): Promise<{ readonly json: unknown } | Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), BODY_MILLIS);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) return text(413, `the body must be at most ${LARGEST_BODY} bytes`);
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString("utf8");
    const trouble = inspectJsonText(body);
    return trouble === undefined ? { json: parseJson(body) } : text(400, `the body is not accepted: ${trouble}`);
  } catch (error) {
    return text(
      400,
      `the body must be JSON: ${error instanceof SyntaxError ? error.message : "it did not arrive whole"}`,
    );
  } finally {
    clearTimeout(late);
  }
}

function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function text(status: number, message: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${message}\n` };
}
