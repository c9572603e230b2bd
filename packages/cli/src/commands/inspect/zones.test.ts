import assert from "node:assert/strict";
import { test } from "node:test";
import { parseZoneRow, render } from "./zones.ts";

const NOW = new Date("2026-11-23T12:00:00Z");

test("parseZoneRow() tells online, offline and disabled zones apart", () => {
  const connected = {
    subscriptions: [{ connectTime: "2026-11-23T11:00:00Z", version: { kumaCp: { version: "3.0.0" } } }],
  };
  const rows = [
    parseZoneRow({ name: "a", zone: {}, zoneInsight: connected }),
    parseZoneRow({ name: "b", zone: { enabled: false }, zoneInsight: connected }),
    parseZoneRow({ name: "c", zone: { enabled: true } }),
  ];
  assert.deepEqual(render(rows, NOW).split("\n"), [
    "NAME   STATUS     CONNECTED   UPDATED   UPDATES   ERRORS   VERSION",
    "a      Online     1h          -         0         0        3.0.0",
    "b      Disabled   1h          -         0         0        3.0.0",
    "c      Offline    -           -         0         0        -",
  ]);
});
