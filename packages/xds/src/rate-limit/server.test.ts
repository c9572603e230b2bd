import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { test, type TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  RateLimitRequestSchema,
  RateLimitResponse_Code,
  RateLimitResponseSchema,
} from "@heddle/envoy/gen/envoy/service/ratelimit/v3/rls_pb.js";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { derivedAuthority } from "@heddle/identity/derived-authority.ts";
import { FrameReader, grpcPrefix } from "../grpc-frame.ts";
import { readStatus } from "../grpc-status.ts";
import { RateLimitFailure, type RateLimitHooks, type RateLimitQuestion } from "./hooks.ts";
import { RATE_LIMIT_PATH, serveRateLimits } from "./server.ts";

const root = { seed: Buffer.alloc(32, 1), created: new Date("2026-01-01T00:00:00Z") };
const callers = derivedAuthority(root, "callers");
const servers = derivedAuthority(root, "servers");
const strangers = derivedAuthority(root, "strangers");
const CALLER = "heddle://rate-limit/default/web-1";

async function serve(t: TestContext, decide: RateLimitHooks["decide"], errors: unknown[] = []): Promise<number> {
  const { certificatePem, keyPem } = servers.issue("heddle://service", "server");
  const server = await serveRateLimits({
    host: "127.0.0.1",
    port: 0,
    tls: { cert: certificatePem, key: keyPem },
    callersPem: callers.certificatePem,
    hooks: { decide },
    onError: (error) => errors.push(error),
  });
  t.after(() => server[Symbol.asyncDispose]());
  return server.port;
}

function open(t: TestContext, port: number, shown: CertificateAndKey | undefined): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, {
    ca: servers.certificatePem,
    checkServerIdentity: () => undefined,
    ...(shown === undefined ? {} : { cert: shown.certificatePem, key: shown.keyPem }),
  });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return session;
}

interface Reply {
  readonly code: string;
  readonly overallCode: RateLimitResponse_Code | undefined;
}

async function call(session: ClientHttp2Session, message: Uint8Array, path = RATE_LIMIT_PATH): Promise<Reply> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status: Record<string, unknown> = {};
  stream.on("response", (headers) => (status = { ...status, ...headers }));
  stream.on("trailers", (trailers) => (status = { ...status, ...trailers }));
  stream.end(message);
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  await once(stream, "close");
  const [answer] = new FrameReader(1_000).read(Buffer.concat(chunks));
  const overallCode = answer && fromBinary(RateLimitResponseSchema, answer).overallCode;
  return { code: readStatus(status).code, overallCode };
}

function question(): Uint8Array {
  const entries = [{ key: "k", value: "v" }];
  const bytes = toBinary(
    RateLimitRequestSchema,
    create(RateLimitRequestSchema, { domain: "default", descriptors: [{ entries }] }),
  );
  return Buffer.concat([grpcPrefix(bytes.length), bytes]);
}

test("serveRateLimits() tells who asks by the certificate, and what, and gives the decision back", async (t) => {
  const asked: [string, RateLimitQuestion][] = [];
  const port = await serve(t, (caller, about) => {
    asked.push([caller, about]);
    return asked.length === 1 ? "ok" : Promise.resolve("over limit");
  });
  const session = open(t, port, callers.issue(CALLER, "client"));
  assert.deepEqual(await call(session, question()), { code: "ok", overallCode: RateLimitResponse_Code.OK });
  assert.deepEqual(await call(session, question()), { code: "ok", overallCode: RateLimitResponse_Code.OVER_LIMIT });
  const [caller, { domain, descriptors, hits }] = asked[0] ?? ["", { domain: "", descriptors: [], hits: 0 }];
  assert.deepEqual([caller, domain, hits], [CALLER, "default", 1]);
  assert.deepEqual(
    descriptors[0]?.map(({ key, value }) => [key, value]),
    [["k", "v"]],
  );
});

for (const [who, shown] of [
  ["nobody without a certificate", undefined],
  ["nobody with a certificate of another authority", strangers.issue(CALLER, "client")],
  ["no server that shows its certificate", callers.issue(CALLER, "server")],
] as const) {
  test(`serveRateLimits() lets in ${who}`, async (t) => {
    let asked = 0;
    const port = await serve(t, () => ((asked += 1), "ok"));
    const session = open(t, port, shown);
    const reply = await call(session, question()).catch(() => undefined);
    assert.notEqual(reply?.code, "ok");
    assert.equal(asked, 0);
  });
}

test("serveRateLimits() ends calls that it cannot answer with a status", async (t) => {
  const errors: unknown[] = [];
  const thrown: unknown[] = [new RateLimitFailure("unavailable", "not now"), new Error("a bug")];
  const port = await serve(
    t,
    async () => {
      throw thrown.shift();
    },
    errors,
  );
  const session = open(t, port, callers.issue(CALLER, "client"));
  const codes = [];
  for (const [message, path] of [
    [question(), RATE_LIMIT_PATH],
    [question(), RATE_LIMIT_PATH],
    [question(), "/other"],
    [Buffer.from([0, 0, 0, 0, 1, 0xff]), RATE_LIMIT_PATH],
    [Buffer.from([0, 0, 0, 0, 9, 1]), RATE_LIMIT_PATH],
    [grpcPrefix(1_000_000), RATE_LIMIT_PATH],
  ] as const) {
    codes.push((await call(session, message, path)).code);
  }
  assert.deepEqual(codes, [
    "unavailable",
    "internal",
    "unimplemented",
    "invalid_argument",
    "invalid_argument",
    "resource_exhausted",
  ]);
  assert.deepEqual(errors.map(String), ["Error: a bug"]);
});
