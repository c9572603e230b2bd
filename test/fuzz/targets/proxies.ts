import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { memoryCounters } from "@heddle/control-plane/rate-limit/memory-counters.ts";
import type { Caller } from "@heddle/control-plane/rate-limit/callers.ts";
import { rateLimitHooks } from "@heddle/control-plane/rate-limit/decide.ts";
import { agentCall } from "@heddle/data-plane/opa/agent-call.ts";
import { inputOf } from "@heddle/data-plane/opa/opa-input.ts";
import { readAccessLogLine } from "@heddle/data-plane/supervise/access-log-line.ts";
import { CheckRequestSchema } from "@heddle/envoy/gen/envoy/service/auth/v3/external_auth_pb.js";
import { RateLimitRequestSchema } from "@heddle/envoy/gen/envoy/service/ratelimit/v3/rls_pb.js";
import { OPA_CLUSTER, OPA_CONTEXT } from "@heddle/model/opa-agent.ts";
import { RULE_KEY } from "@heddle/policies/mesh-global-rate-limit/limits.ts";
import { FrameError } from "@heddle/xds/grpc-frame.ts";
import { RateLimitFailure } from "@heddle/xds/rate-limit/hooks.ts";
import { readQuestion } from "@heddle/xds/rate-limit/question.ts";
import { HOSTILE_TEXTS } from "../dictionary.ts";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { allowing, fromBytes, fromTexts, holds, oneOf, type TargetPlan, textOf } from "../target.ts";

const QUESTIONS = [
  { domain: "default", hitsAddend: 1, descriptors: [{ entries: [{ key: RULE_KEY, value: "all" }] }] },
  {
    domain: "default",
    descriptors: [
      { entries: [{ key: RULE_KEY, value: "all" }] },
      {
        entries: [
          { key: RULE_KEY, value: "all" },
          { key: "x-plan", value: "free" },
        ],
      },
    ],
  },
].map((question) => toBinary(RateLimitRequestSchema, create(RateLimitRequestSchema, question)));

const LIMIT = { limit: { num: 3, intervalMillis: 1_000, shadow: false }, serviceTag: undefined };
const CALLER: Caller = {
  mesh: "default",
  limitFor: (text) => (text === "all" || text === "all\nx-plan\nfree" ? LIMIT : undefined),
  servicesFor: () => ["web", "api"],
};

const rateLimits: TargetPlan = {
  name: "rate-limit-questions",
  share: 20,
  open: () => {
    let now = 0;
    const counters = memoryCounters({ now: () => (now += 1) });
    const decisions = { ok: 0, over_limit: 0, shadow: 0, error: 0 };
    const hooks = rateLimitHooks({ callerOf: () => CALLER, counters, decisions });
    return {
      name: "rate-limit-questions",
      make: fromBytes(QUESTIONS),
      run: (input) => {
        const question = allowing(() => readQuestion(input), FrameError);
        // Counted in memory, the answer is there at once.
        if (question !== undefined)
          void allowing(() => hooks.decide("heddle://rate-limit/default/web", question), RateLimitFailure);
      },
    };
  },
};

/** What a caller of a port with a MeshOPA chooses: path, headers, body. */
function caller(random: Random): Uint8Array {
  const piece = (): string => random.pick(HOSTILE_TEXTS).toWellFormed();
  const query = Array.from({ length: random.oneIn(50) ? 9_000 : random.below(5) }, (_, index) => `${index}=${piece()}`);
  const body = random.oneIn(3) ? `{"a":${piece()}}` : '{"a":[1,{"b":null}]}';
  const question = create(CheckRequestSchema, {
    attributes: {
      source: { principal: piece(), address: { address: { case: "pipe", value: { path: "/a" } } } },
      contextExtensions: { [OPA_CONTEXT]: "{}", other: piece() },
      request: {
        http: {
          method: "POST",
          path: `/${piece()}/${piece()}?${query.join("&").slice(0, 60_000)}`,
          headers: { "content-type": "application/json", [piece()]: piece() },
          ...(random.oneIn(2) ? { body } : { rawBody: Buffer.from(body) }),
        },
      },
    },
  });
  const bytes = toBinary(CheckRequestSchema, question);
  return random.oneIn(3) ? mutateBytes(bytes, bytes, random) : bytes;
}

const opaQuestions: TargetPlan = {
  name: "opa-questions",
  share: 6,
  open: () => ({
    name: "opa-questions",
    make: caller,
    run: (input) => {
      // What is no message is answered with a failure, and the request is refused.
      const question = allowing(() => fromBinary(CheckRequestSchema, input), Error);
      // A body that is no JSON, and times that do not exist, are failures too.
      const made = question && allowing(() => inputOf(question), Error);
      if (made !== undefined)
        holds(!Object.hasOwn(made.attributes?.contextExtensions ?? {}, OPA_CONTEXT), "rules do not see the policies");
    },
  }),
};

const LINES = [
  '{"address":"127.0.0.1:5000","message":"GET / 200\\n"}',
  '{"address":"logs:1","message":{"a":1}}',
  JSON.stringify({ cluster_name: OPA_CLUSTER, host: { pipe: { path: "/tmp/x/opa.sock" } } }),
];

const accessLogs: TargetPlan = {
  name: "access-log-lines",
  share: 15,
  open: () => ({
    name: "access-log-lines",
    make: oneOf(fromTexts(LINES)),
    run: (input) => {
      const line = textOf(input);
      agentCall(line);
      const read = readAccessLogLine(line);
      holds(read === undefined || URL.canParse(`tcp://${read.address}`), "an address that is read can be connected to");
    },
  }),
};

/** What Envoy asks those beside it, for callers that choose what is in it. */
export const PROXY_TARGETS = [rateLimits, opaQuestions, accessLogs];
