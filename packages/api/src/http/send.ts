import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Answer } from "./route.ts";

// Answers hold live state and sometimes secrets: nothing may be kept by a cache or taken for another type.
const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Writes an answer to the wire. */
export function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers({ ...ALWAYS, ...answer.headers });
  if ("json" in answer) return reply.type("application/json").send(JSON.stringify(answer.json));
  if ("text" in answer) return reply.type(answer.contentType).send(answer.text);
  // A stream may be silent for longer than a peer may be: it ends by its own timeout.
  reply.raw.socket?.setTimeout(0);
  return reply.type("application/x-ndjson").send(Readable.from(asLines(answer.lines)));
}

async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
