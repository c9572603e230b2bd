import assert from "node:assert/strict";
import { test } from "node:test";
import { DeltaStream } from "./protocol.ts";
import { type Contents, StreamDriver } from "./testkit/stream-driver.ts";
import { TYPE_URL } from "./type-url.ts";

/** An Envoy that has everything of `contents`, and asked for the endpoints and routes by name. */
function connected(contents: Contents): StreamDriver {
  const driver = new StreamDriver();
  driver.set(contents);
  driver.ask("cluster");
  if (contents.endpoint) driver.ask("endpoint", Object.keys(contents.endpoint));
  driver.ackAll();
  driver.ask("listener");
  driver.ackAll();
  if (contents.route) driver.ask("route", Object.keys(contents.route));
  driver.ackAll();
  driver.reports = [];
  return driver;
}

test("DeltaStream answers the first wildcard request even when there is nothing", () => {
  const driver = new StreamDriver();
  driver.set({});
  assert.deepEqual(driver.ask("cluster"), ["cluster"]);
  assert.deepEqual(driver.ack("cluster"), []);
});

test("DeltaStream sends nothing before it was given a set", () => {
  const driver = new StreamDriver();
  assert.deepEqual(driver.ask("cluster"), []);
  assert.deepEqual(driver.set({ cluster: { a: "1" } }), ["cluster a=1"]);
});

test("DeltaStream sends what is asked for by name, and says what does not exist", () => {
  const driver = new StreamDriver();
  driver.set({ endpoint: { a: "1", b: "1" } });
  assert.deepEqual(driver.ask("endpoint", ["a", "ghost"]), ["endpoint a=1 -ghost"]);
  assert.deepEqual(driver.ack("endpoint"), []);
  assert.deepEqual(driver.set({ endpoint: { a: "1", b: "2", ghost: "1" } }), ["endpoint ghost=1"]);
});

test("DeltaStream forgets names that are unsubscribed", () => {
  const driver = connected({ endpoint: { a: "1", b: "1" } });
  assert.deepEqual(driver.ask("endpoint", [], { unsubscribe: ["a"] }), []);
  assert.deepEqual(driver.set({ endpoint: { a: "2", b: "2" } }), ["endpoint b=2"]);
});

test("DeltaStream sends an unchanged resource again to a client that asks again", () => {
  const driver = connected({ endpoint: { a: "1" } });
  assert.deepEqual(driver.ask("endpoint", ["a"]), ["endpoint a=1"]);
});

test("DeltaStream reads an empty first request for a named type as no interest", () => {
  const driver = new StreamDriver();
  driver.set({ endpoint: { a: "1" } });
  assert.deepEqual(driver.ask("endpoint"), []);
});

test("DeltaStream serves an explicit wildcard until it is taken back", () => {
  const driver = new StreamDriver();
  driver.set({ runtime: { a: "1", b: "1" } });
  assert.deepEqual(driver.ask("runtime", ["*", "b"]), ["runtime a=1 b=1"]);
  driver.ackAll();
  assert.deepEqual(driver.ask("runtime", [], { unsubscribe: ["*"] }), []);
  assert.deepEqual(driver.set({ runtime: { a: "2", b: "2" } }), ["runtime b=2"]);
});

test("DeltaStream is silent to a client that comes back with everything", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { in: "1" }, route: { r: "1" } });
  assert.deepEqual(driver.ask("cluster", [], { initialVersions: { a: "1" } }), []);
  assert.deepEqual(driver.ask("endpoint", ["a"], { initialVersions: { a: "1" } }), []);
  assert.deepEqual(driver.ask("listener", [], { initialVersions: { in: "1" } }), []);
  assert.deepEqual(driver.ask("route", ["r"], { initialVersions: { r: "1" } }), []);
  assert.deepEqual(
    driver.reports.map(({ event }) => event),
    ["synced"],
  );
});

test("DeltaStream sends a returning client the difference, and removes clusters once routes are known and settled", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "2", b: "1" }, listener: { in: "1" }, route: { r: "2" } });
  const had = { a: "1", b: "1", gone: "1" };
  assert.deepEqual(driver.ask("cluster", [], { initialVersions: had }), ["cluster a=2"]);
  assert.deepEqual(driver.ask("listener", [], { initialVersions: { in: "1", old: "1" } }), []);
  assert.deepEqual(driver.ack("cluster"), ["listener -old"]);
  assert.deepEqual(driver.ack("listener"), []);
  assert.deepEqual(driver.ask("route", ["r"], { initialVersions: { r: "1" } }), ["route r=2"]);
  assert.deepEqual(driver.ack("route"), ["cluster -gone"]);
});

test("DeltaStream stops waiting for types nobody asked for when the grace is over", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "1" } });
  assert.deepEqual(driver.ask("cluster", [], { initialVersions: { a: "1", gone: "1" } }), []);
  assert.deepEqual(driver.tell({ event: "grace-over" }), ["cluster -gone"]);
});

test("DeltaStream has one response of a type in flight and sends the latest state after it", () => {
  const driver = connected({ cluster: { a: "1" } });
  assert.deepEqual(driver.set({ cluster: { a: "2" } }), ["cluster a=2"]);
  assert.deepEqual(driver.set({ cluster: { a: "3" } }), []);
  assert.deepEqual(driver.set({ cluster: { a: "4", b: "1" } }), []);
  assert.deepEqual(driver.ack("cluster"), ["cluster a=4 b=1"]);
  assert.deepEqual(driver.ack("cluster"), []);
});

test("DeltaStream follows a changed cluster with its endpoints, without waiting for the ACK", () => {
  const driver = connected({ cluster: { a: "1", b: "1" }, endpoint: { a: "1", b: "1" } });
  const set = { cluster: { a: "2", b: "1" }, endpoint: { a: "1", b: "1" } };
  assert.deepEqual(driver.set(set), ["cluster a=2", "endpoint a=1"]);
});

test("DeltaStream says again that a changed cluster has no endpoints", () => {
  const driver = connected({ cluster: { a: "1" }, endpoint: { b: "1" } });
  driver.ask("endpoint", ["a"]);
  driver.ackAll();
  assert.deepEqual(driver.set({ cluster: { a: "2" }, endpoint: { b: "1" } }), ["cluster a=2", "endpoint -a"]);
});

test("DeltaStream sends all endpoints to a client that asks for them before clusters: one of its clusters is warming", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "1" }, endpoint: { a: "1" } });
  assert.deepEqual(driver.ask("endpoint", ["a"], { initialVersions: { a: "1" } }), ["endpoint a=1"]);
});

test("DeltaStream sends endpoints again whose cluster was sent before the client asked for any", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "2", b: "1" }, endpoint: { a: "1", b: "1" } });
  assert.deepEqual(driver.ask("cluster", [], { initialVersions: { a: "1", b: "1" } }), ["cluster a=2"]);
  assert.deepEqual(driver.ask("endpoint", ["a", "b"], { initialVersions: { a: "1", b: "1" } }), ["endpoint a=1"]);
});

test("DeltaStream sends endpoints again to a client that does not get to its listeners", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "1" }, endpoint: { a: "1" } });
  driver.ask("cluster", [], { initialVersions: { a: "1" } });
  assert.deepEqual(driver.ask("endpoint", ["a"], { initialVersions: { a: "1" } }), []);
  assert.deepEqual(driver.tell({ event: "grace-over" }), ["endpoint a=1"]);
});

test("DeltaStream makes before it breaks: clusters, then listeners, then routes, then removals", () => {
  const driver = connected({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { in: "1" }, route: { r: "a" } });
  const set = { cluster: { b: "1" }, endpoint: { b: "1" }, listener: { in: "2" }, route: { r: "b" } };
  assert.deepEqual(driver.set(set), ["cluster b=1"]);
  assert.deepEqual(driver.ask("endpoint", ["b"]), ["endpoint b=1"]);
  assert.deepEqual(driver.ack("cluster"), []);
  assert.deepEqual(driver.ack("endpoint"), ["listener in=2"]);
  assert.deepEqual(driver.ack("listener"), ["route r=b"]);
  assert.deepEqual(driver.ack("route"), ["cluster -a"]);
  assert.deepEqual(driver.ask("endpoint", [], { unsubscribe: ["a"] }), []);
  assert.deepEqual(driver.ack("cluster"), []);
});

test("DeltaStream does not hold up routes for news of endpoints", () => {
  const driver = connected({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { in: "1" }, route: { r: "1" } });
  const set = { cluster: { a: "1" }, endpoint: { a: "2" }, listener: { in: "1" }, route: { r: "2" } };
  assert.deepEqual(driver.set(set), ["endpoint a=2", "route r=2"]);
});

test("DeltaStream removes no cluster while a listener is refused, for the old listener is still at work", () => {
  const driver = connected({ cluster: { a: "1" }, listener: { in: "1" } });
  assert.deepEqual(driver.set({ cluster: {}, listener: { in: "bad" } }), ["listener in=bad"]);
  assert.deepEqual(driver.nack("listener", "Error adding/updating listener(s) in: no"), []);
  assert.deepEqual(driver.set({ cluster: {}, listener: { in: "2" } }), ["listener in=2"]);
  assert.deepEqual(driver.ack("listener"), ["cluster -a"]);
});

test("DeltaStream does not repeat what was refused until its content changes", () => {
  const driver = connected({ cluster: { a: "1" }, listener: { in: "1" } });
  assert.deepEqual(driver.set({ cluster: { a: "1" }, listener: { in: "2" } }), ["listener in=2"]);
  assert.deepEqual(driver.nack("listener", "bad"), []);
  assert.deepEqual(driver.set({ cluster: { a: "1" }, listener: { in: "2" } }), []);
  assert.deepEqual(driver.set({ cluster: { a: "1" }, listener: { in: "2", out: "1" } }), ["listener out=1"]);
  assert.deepEqual(driver.ack("listener"), []);
  assert.deepEqual(driver.set({ cluster: { a: "1" }, listener: { in: "1", out: "1" } }), ["listener in=1"]);
});

test("DeltaStream sends the rest of a refused response again, without those whom the client blames", () => {
  const driver = connected({ cluster: { a: "1" } });
  driver.set({ cluster: { a: "2", b: "2", c: "2" } });
  const error = "Error adding/updating cluster(s) b: no such filter, c: cluster a: looks fine";
  assert.deepEqual(driver.nack("cluster", error), ["cluster a=2"]);
  const [, nacked] = driver.reports;
  assert.deepEqual(nacked?.event === "nacked" && nacked.rejected, [
    { name: "b", version: "2" },
    { name: "c", version: "2" },
  ]);
});

test("DeltaStream finds out by halves who is refused when the client blames nobody", () => {
  const driver = new StreamDriver();
  const isBad = (sent: readonly string[]) => sent.some((each) => each.includes("c=bad"));
  driver.set({ endpoint: { a: "1", b: "1", c: "bad", d: "1", e: "1" } });
  const history: string[] = [];
  let sent = driver.ask("endpoint", ["a", "b", "c", "d", "e"]);
  while (sent.length > 0) {
    history.push(...sent);
    sent = isBad(sent) ? driver.nack("endpoint", "malformed IP address") : driver.ack("endpoint");
  }
  assert.deepEqual(history, [
    "endpoint a=1 b=1 c=bad d=1 e=1",
    "endpoint a=1 b=1 c=bad",
    "endpoint a=1 b=1",
    "endpoint c=bad d=1 e=1",
    "endpoint c=bad d=1",
    "endpoint c=bad",
    "endpoint d=1",
    "endpoint e=1",
  ]);
  assert.deepEqual(driver.reports.at(-1)?.event, "synced");
});

test("DeltaStream does not repeat a refused removal for ever", () => {
  const driver = connected({ listener: { in: "1" } });
  assert.deepEqual(driver.set({ listener: {} }), ["listener -in"]);
  assert.deepEqual(driver.nack("listener", "no"), []);
});

test("DeltaStream ignores the answer of a stale nonce, but not what the request asks for", () => {
  const driver = connected({ endpoint: { a: "1", b: "1" } });
  driver.set({ endpoint: { a: "2", b: "1", c: "1" } });
  assert.deepEqual(driver.ask("endpoint", ["c"], { nonce: "0", error: "late" }), []);
  assert.deepEqual(driver.ack("endpoint"), ["endpoint c=1"]);
});

test("DeltaStream answers types it does not know without harm", () => {
  const driver = new StreamDriver();
  driver.set({});
  assert.deepEqual(driver.ask("type.googleapis.com/a.B"), []);
  assert.deepEqual(driver.ask("type.googleapis.com/c.D", ["x"]), ["type.googleapis.com/c.D -x"]);
});

test("DeltaStream splits what is too much for one response", () => {
  const driver = new StreamDriver({ maxResponseBytes: -1 });
  driver.set({ cluster: { a: "1", b: "1" } });
  assert.deepEqual(driver.ask("cluster"), ["cluster a=1"]);
  assert.deepEqual(driver.ack("cluster"), ["cluster b=1"]);
});

test("DeltaStream reports once that everything is acknowledged, and how much is refused", () => {
  const driver = new StreamDriver();
  driver.set({ cluster: { a: "1", b: "bad" } });
  driver.ask("cluster");
  driver.nack("cluster", "Error adding/updating cluster(s) b: no");
  driver.ackAll();
  assert.deepEqual(
    driver.reports.map((report) => (report.event === "synced" ? `synced ${report.rejected}` : report.event)),
    ["sent", "nacked", "sent", "acked", "synced 1"],
  );
});

test("DeltaStream ends a stream that asks for types or names without bound", () => {
  const driver = new StreamDriver();
  assert.deepEqual(driver.ask(""), ["fail: Cannot serve a discovery request: it has no type_url"]);
  const names = Array.from({ length: 200_001 }, (_, index) => `name-${index}`);
  assert.match(driver.ask("endpoint", names).join(), /^fail: Cannot serve a stream with more than 200000 names/);
  const answers = Array.from({ length: 65 }, (_, index) => driver.ask(`type-${index}`).join());
  assert.ok(answers.includes("fail: Cannot serve a stream with more than 64 types"));
});

test("DeltaStream asks for a resource that only the client has, when the client has it no more", () => {
  const secret = { typeUrl: TYPE_URL.secret, name: "identity", version: "1", bytes: new Uint8Array() };
  const request = { typeUrl: TYPE_URL.secret, subscribe: ["identity"], unsubscribe: [], nonce: "", error: undefined };
  const set = new Map([[TYPE_URL.secret, new Map([["identity", secret]])]]);

  const knowing = new DeltaStream();
  knowing.handle({ event: "set", set });
  const silence = knowing.handle({ event: "request", request: { ...request, initialVersions: { identity: "1" } } });
  assert.deepEqual(
    silence.map(({ output }) => output),
    ["report"],
  );

  const forgetful = new DeltaStream();
  forgetful.handle({ event: "set", set });
  const outputs = forgetful.handle({ event: "request", request: { ...request, initialVersions: {} } });
  assert.deepEqual(outputs, [
    { output: "report", event: { event: "wanted", typeUrl: TYPE_URL.secret, name: "identity" } },
  ]);
  assert.deepEqual(forgetful.handle({ event: "set", set: new Map(set) }).length, 1, "once for each set");
});
