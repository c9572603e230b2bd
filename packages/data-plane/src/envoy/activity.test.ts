import assert from "node:assert/strict";
import { test } from "node:test";
import { parseActivity } from "./activity.ts";

test("parseActivity() counts requests and connections, without the admin interface and without workers twice", () => {
  const stats = [
    "http.admin.downstream_cx_active: 1",
    "http.admin.downstream_rq_active: 1",
    "http.inbound.downstream_cx_active: 3",
    "http.inbound.downstream_rq_active: 2",
    "listener.admin.downstream_cx_active: 1",
    "listener.127.0.0.1_80.downstream_cx_active: 3",
    "listener.127.0.0.1_80.worker_0.downstream_cx_active: 3",
    "listener.127.0.0.1_90.downstream_cx_active: 4",
    "",
  ].join("\n");
  assert.deepEqual(parseActivity(stats), { requests: 2, streams: 4, connections: 7 });
});

test("parseActivity() of nothing is nothing", () => {
  assert.deepEqual(parseActivity(""), { requests: 0, streams: 0, connections: 0 });
});
