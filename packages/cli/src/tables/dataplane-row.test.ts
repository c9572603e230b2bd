import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDataplaneRow } from "./dataplane-row.ts";

const CONNECTED = { connectTime: "2026-11-23T11:00:00Z" };
const GONE = { connectTime: "2026-11-23T10:00:00Z", disconnectTime: "2026-11-23T10:30:00Z" };
const READY = { port: 80 };
const UNREADY = { port: 81, state: "NotReady" };
const UNHEALTHY = { port: 82, health: { ready: false } };
const IGNORED = { port: 83, state: "Ignored" };

const statuses = [
  ["connected with all inbounds ready", [READY], [GONE, CONNECTED], "Online"],
  ["connected without inbounds", [], [CONNECTED], "Online"],
  ["connected with one inbound not ready", [READY, UNREADY], [CONNECTED], "Partially degraded"],
  ["connected with one inbound unhealthy as Kuma 2 says it", [READY, UNHEALTHY], [CONNECTED], "Partially degraded"],
  ["connected with no inbound ready", [UNREADY], [CONNECTED], "Offline"],
  ["connected with an inbound that is ignored", [READY, IGNORED], [CONNECTED], "Online"],
  ["gone", [READY], [GONE], "Offline"],
  ["never seen", [READY], [], "Offline"],
] as const;
for (const [what, inbound, subscriptions, expected] of statuses) {
  test(`parseDataplaneRow() calls a proxy ${expected} that is ${what}`, () => {
    const row = parseDataplaneRow({ dataplane: { networking: { inbound } }, dataplaneInsight: { subscriptions } });
    assert.equal(row.status, expected);
  });
}

test("parseDataplaneRow() calls a connected gateway Online: it has no inbounds of its own", () => {
  const networking = { gateway: { tags: { "kuma.io/service": "edge" } }, inbound: [UNREADY] };
  const row = parseDataplaneRow({ dataplane: { networking }, dataplaneInsight: { subscriptions: [CONNECTED] } });
  assert.equal(row.status, "Online");
  assert.deepEqual(row.tags, { "kuma.io/service": ["edge"] });
});

test("parseDataplaneRow() sums counters over connections and reads 64-bit counters, which are texts", () => {
  const status = { total: { responsesSent: "10", responsesAcknowledged: "9", responsesRejected: "1" } };
  const row = parseDataplaneRow({
    dataplaneInsight: {
      subscriptions: [
        { ...GONE, status },
        { ...CONNECTED, status },
      ],
    },
  });
  assert.deepEqual(row.responses, { sent: 20, acknowledged: 18, rejected: 2 });
});

test("parseDataplaneRow() joins the values of a tag over inbounds", () => {
  const inbound = [
    { port: 1, tags: { v: "1" } },
    { port: 2, tags: { v: "2" } },
    { port: 3, tags: { v: "1" } },
  ];
  assert.deepEqual(parseDataplaneRow({ dataplane: { networking: { inbound } } }).tags, { v: ["1", "2"] });
});

test("parseDataplaneRow() reads anything without failing", () => {
  for (const item of [
    undefined,
    null,
    5,
    "x",
    [],
    { dataplane: [], dataplaneInsight: { subscriptions: { a: 1 }, mTLS: 3 } },
  ]) {
    assert.equal(parseDataplaneRow(item).status, "Offline");
  }
});
