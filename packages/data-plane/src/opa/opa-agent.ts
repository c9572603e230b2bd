import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { buffer } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CheckRequest,
  CheckRequestSchema,
  CheckResponseSchema,
} from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import { OPA_CONTEXT, type OpaBundle } from "@heddle/model/opa-agent.ts";
import type { Log } from "../log.ts";
import { type Decision, decide, decisionModule, wordsIn } from "./opa-decision.ts";
import { inputOf } from "./opa-input.ts";
import type { OpaEngine, OpaLibrary } from "./opa-library.ts";

/** An agent that answers Envoy's questions. */
export interface OpaAgent {
  /** When somebody last knocked, as performance.now() tells time. */
  readonly lastCall: () => number;
  readonly close: () => void;
}

/** What an agent needs beside its socket. */
export interface AgentContext {
  readonly library: OpaLibrary;
  readonly log: Log;
  /** Takes the lines of the decision log. */
  readonly logDecision: (line: string) => void;
}

/** Answers envoy.service.auth.v3 on a socket. What it decides by comes with each question. */
export async function startOpaAgent(socket: string, context: AgentContext): Promise<OpaAgent> {
  await rm(socket, { force: true });
  const engines = new Engines(context);
  let lastCall = performance.now();
  const server = createServer();
  server.on("connection", () => (lastCall = performance.now()));
  server.on("stream", (stream: ServerHttp2Stream) => {
    lastCall = performance.now();
    stream.on("error", () => undefined);
    void answer(stream, engines, context);
  });
  server.listen(socket);
  await once(server, "listening");
  return { lastCall: () => lastCall, close: () => void server.close() };
}

const OK = 0;
const INTERNAL = 13;

async function answer(stream: ServerHttp2Stream, engines: Engines, context: AgentContext): Promise<void> {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  let status = OK;
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(status) }));
  try {
    const frame = await buffer(stream);
    const request = fromBinary(CheckRequestSchema, frame.subarray(FRAME_HEAD));
    const body = Buffer.from(
      toBinary(CheckResponseSchema, create(CheckResponseSchema, judge(request, engines, context))),
    );
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([head, body]));
  } catch (error) {
    context.log("warning", `Cannot decide about a request: ${(error as Error).message}`);
    status = INTERNAL;
    stream.end();
  }
}

// A byte that says whether it is compressed, and four with the length.
const FRAME_HEAD = 5;

function judge(request: CheckRequest, engines: Engines, { logDecision }: AgentContext): Decision["response"] {
  const text = request.attributes?.contextExtensions[OPA_CONTEXT];
  if (text === undefined) throw new Error("the question comes without policies");
  const { bundle, engine, words } = engines.get(text);
  const input = inputOf(request);
  const decision = decide(engine, words, input);
  if (bundle.decisionLog) logDecision(decisionLine(request, decision));
  return decision.response;
}

// No headers, no body, no query: tokens and names of people are in there.
function decisionLine({ attributes }: CheckRequest, { allowed, said }: Decision): string {
  const { method, path, host, id } = attributes?.request?.http ?? {};
  return JSON.stringify({
    type: "openpolicyagent.org/decision_logs",
    time: new Date().toISOString(),
    allowed,
    result: said,
    caller: attributes?.source?.principal,
    method,
    host,
    path: path?.split("?")[0],
    request: id,
  });
}

interface Compiled {
  readonly bundle: OpaBundle;
  readonly engine: OpaEngine;
  readonly words: number;
}

/** Policies are taken in once; inbounds may differ in what they ask, and a change is there beside what it replaces. */
class Engines {
  readonly #context: AgentContext;
  readonly #known = new Map<string, Compiled | Error>();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  get(text: string): Compiled {
    const known = this.#known.get(text) ?? this.#add(text);
    if (known instanceof Error) throw known;
    return known;
  }

  #add(text: string): Compiled | Error {
    const [oldest] = this.#known;
    if (oldest !== undefined && this.#known.size >= MOST_KNOWN) {
      this.#known.delete(oldest[0]);
      if (!(oldest[1] instanceof Error)) oldest[1].engine.close();
    }
    const made = this.#make(text);
    this.#known.set(text, made);
    return made;
  }

  #make(text: string): Compiled | Error {
    const bundle = JSON.parse(text) as OpaBundle;
    const modules = new Map(bundle.policies.map(({ rego }, index) => [`appendPolicies[${index}]`, rego]));
    try {
      const engine = this.#context.library.makeEngine(modules.set("decision", decisionModule(bundle)));
      // Modules are compiled by the first question: this one, about nothing, finds what only that tells.
      engine.evaluate("heddle_nothing", {});
      return { bundle, engine, words: wordsIn(bundle) };
    } catch (error) {
      return error as Error;
    }
  }
}

const MOST_KNOWN = 16;
