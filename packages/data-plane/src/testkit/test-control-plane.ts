import { createServer, type Server } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { json } from "node:stream/consumers";
import { GOOD, type TestCertificate } from "./certificates.ts";

/** A question that the control plane was asked. */
export interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What it answers: a bootstrap (YAML), or another status with a text. */
export type Reply = string | { readonly status: number; readonly text: string };

export interface TestControlPlane extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Changes the answers from now on. */
  answer(path: "/bootstrap" | "/drain", reply: (asked: Asked) => Reply): void;
}

/** The bootstrap side of a control plane, over real TLS on a free port of loopback. */
export async function startTestControlPlane(
  bootstrap: (asked: Asked) => Reply,
  options: { readonly certificate?: TestCertificate; readonly port?: number; readonly clock?: () => Date } = {},
): Promise<TestControlPlane> {
  const { certificate, key } = options.certificate ?? GOOD;
  const asked: Asked[] = [];
  const replies = new Map<string, (asked: Asked) => Reply>([["/bootstrap", bootstrap]]);
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    const question = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body: (await json(request)) as Asked["body"],
    };
    asked.push(question);
    const reply = replies.get(question.path)?.(question) ?? { status: 404, text: "no such path" };
    if (typeof reply === "object") return response.writeHead(reply.status).end(reply.text);
    if (options.clock !== undefined) response.setHeader("date", options.clock().toUTCString());
    const content = { bootstrap: Buffer.from(reply).toString("base64"), kumaSidecarConfiguration: {} };
    return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(content));
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `https://localhost:${port}`,
    asked,
    answer: (path, reply) => void replies.set(path, reply),
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** Starts to listen on loopback and gives the port. */
export function listen(server: NetServer, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
