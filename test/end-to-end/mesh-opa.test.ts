import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { test, type TestContext } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, type Lab, meshService, mtls, type Sidecar, startLab } from "../support/lab.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const POLICY = `package envoy.authz

default allow := false

http := input.attributes.request.http

allow if { http.method == "GET"; input.parsed_path[0] == "open" }

allow if input.attributes.source.principal == "spiffe://default/admin"

allow if http.headers["x-key"] == "sesame"

allow if { input.parsed_path == ["search"]; input.parsed_query.q == ["a b"] }

allow if { http.method == "POST"; input.parsed_body.amount < 100 }

allow := {"allowed": false, "http_status": 418, "headers": {"x-why": "tea"}, "body": "short and stout"} if input.parsed_path == ["teapot"]
`;

function opa(name: string, rego: string, more: object = {}): string {
  const appendPolicies = [{ rego: { type: "InsecureInline", insecureInline: { value: rego } } }];
  const targetRef = { kind: "Dataplane", labels: { app: "backend" } };
  return stringify({
    type: "MeshOPA",
    mesh: "default",
    name,
    spec: { targetRef, default: { appendPolicies, ...more } },
  });
}

interface Meshed {
  readonly lab: Lab;
  readonly backend: Sidecar;
  readonly web: Sidecar;
  readonly admin: Sidecar;
}

async function startMeshed(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Meshed> {
  const lab = await startLab(t);
  await lab.apply([mtls(), meshService("backend"), ALLOW_ALL].join("---\n"));
  const app = await application(t, "backend");
  const backend = await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port, env });
  const client = async (name: string): Promise<Sidecar> =>
    await lab.sidecar({ name: `${name}-1`, labels: { "kuma.io/workload": name }, calls: ["backend"] });
  const [web, admin] = [await client("web"), await client("admin")];
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  return { lab, backend, web, admin };
}

async function post(url: string, body: string): Promise<number | undefined> {
  const headers = { "content-type": "application/json" };
  const sent = request(url, { method: "POST", agent: false, headers }).end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  await text(answer);
  return answer.statusCode;
}

test("MeshOPA: policies in Rego decide about requests, and a new one is in force at once", async (t) => {
  const { lab, backend, web, admin } = await startMeshed(t);
  const at = (sidecar: Sidecar, path: string): string => `${sidecar.outbound("backend")}${path}`;
  const agentConfig = { inlineString: "decision_logs: { console: true }" };
  const authConfig = { requestBody: { maxSize: 1_024 }, timeout: "5s", statusOnError: 503 };
  await lab.apply(opa("rules", POLICY, { agentConfig, authConfig }));
  // Until the agent is there, everybody gets 503.
  await eventually(async () => assert.equal((await ask(at(web, "/closed"))).status, 403));

  await t.test("by path, query, header, body and caller", async () => {
    const statuses = async (...asked: readonly Promise<{ readonly status: number }>[]): Promise<readonly number[]> =>
      (await Promise.all(asked)).map(({ status }) => status);
    assert.deepEqual(
      await statuses(
        ask(at(web, "/open/a?b=c")),
        ask(at(web, "/closed")),
        ask(at(web, "/open"), { method: "DELETE" }),
        ask(at(web, "/search?q=a%20b")),
        ask(at(web, "/search?q=b")),
        ask(at(web, "/closed"), { headers: { "x-key": "sesame" } }),
        ask(at(admin, "/closed")),
      ),
      [200, 403, 403, 200, 403, 200, 200],
    );
    assert.deepEqual(
      [await post(at(web, "/pay"), '{"amount": 5}'), await post(at(web, "/pay"), '{"amount": 500}')],
      [200, 403],
    );
  });
  await t.test("with an answer of the policy's own", async () => {
    const { status, headers, body } = await ask(at(web, "/teapot"));
    assert.deepEqual([status, headers["x-why"], body], [418, "tea", "short and stout"]);
  });
  await t.test("each decision is a line in the log, without secrets", async () => {
    await ask(at(web, "/closed?token=hidden"), { headers: { "x-key": "hidden" } });
    const lines = await eventually(() => {
      const found = backend
        .output()
        .split("\n")
        .filter((line) => line.includes("decision_logs"));
      assert.ok(found.some((line) => (JSON.parse(line) as { path: string }).path === "/closed"));
      return Promise.resolve(found.map((line) => JSON.parse(line) as Record<string, unknown>));
    });
    assert.ok(lines.some(({ allowed, caller }) => allowed === true && caller === "spiffe://default/admin"));
    assert.ok(!backend.output().includes("hidden"));
  });
  await t.test("an edit is in force within a second, and drops nothing", async () => {
    const traffic = steadyTraffic(t, at(web, "/open"), 100);
    const edited = performance.now();
    await lab.apply(opa("rules", `${POLICY}\nallow if input.parsed_path == ["new"]\n`, { agentConfig, authConfig }));
    await eventually(async () => assert.equal((await ask(at(web, "/new"))).status, 200));
    const took = performance.now() - edited;
    const { failures, total } = await traffic.stop();
    assert.deepEqual(failures, []);
    assert.ok(total > 0);
    assert.ok(took < 1_000, `it took ${took} ms`);
  });
  await t.test("another policy beside it has to allow a request, too", async () => {
    await lab.apply(
      opa("second", 'package second\n\nallow := true\n\ndeny contains "no" if input.parsed_path == ["open", "no"]\n'),
    );
    await eventually(async () => assert.equal((await ask(at(web, "/open/no"))).status, 403));
    assert.equal((await ask(at(web, "/open/yes"))).status, 200);
    await lab.delete("MeshOPA", "second");
    await eventually(async () => assert.equal((await ask(at(web, "/open/no"))).status, 200));
  });
  await t.test("what cannot be read lets nobody in, and says where", async () => {
    await lab.apply(opa("rules", "package envoy.authz\n\nallow if { x = }\n", { authConfig }));
    await eventually(async () => assert.equal((await ask(at(web, "/open"))).status, 503));
    await eventually(async () => assert.match(backend.output(), /appendPolicies\[0\]:3: rego_parse_error/));
    await lab.apply(opa("rules", POLICY, { authConfig }));
    await eventually(async () => assert.equal((await ask(at(web, "/open"))).status, 200));
  });
});

test("MeshOPA: without an agent nobody gets in, unless the policy says so", async (t) => {
  const { lab, backend, web } = await startMeshed(t, { HEDDLE_OPA_LIBRARY: "/nowhere/opa.so" });
  await lab.apply(opa("rules", "package a\n\nallow := true\n"));
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 403));
  await eventually(async () => assert.match(backend.output(), /Cannot load the Open Policy Agent: there is no/));
  assert.equal((await ask(web.outbound("backend"))).status, 403);
  await lab.apply(opa("rules", "package a\n\nallow := false\n", { authConfig: { onAgentFailure: "Allow" } }));
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
});
