import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDataplaneRow } from "../../tables/dataplane-row.ts";
import { meshRows, render } from "./meshes.ts";

const CONNECTED = { subscriptions: [{ connectTime: "2026-11-23T11:00:00Z" }] };

test("meshRows() counts the proxies of each mesh, those that refuse too", () => {
  const rejections = [{ typeUrl: "t", resources: [], detail: "d" }];
  const dataplanes = [
    { mesh: "a", name: "1", dataplaneInsight: CONNECTED },
    { mesh: "a", name: "2", dataplaneInsight: { ...CONNECTED, rejections } },
    { mesh: "a", name: "3" },
    { mesh: "gone", name: "4" },
  ].map(parseDataplaneRow);
  const rows = meshRows([{ name: "a", creationTime: "2026-11-23T11:00:00Z" }, { name: "b" }], dataplanes);
  assert.deepEqual(
    rows.map(({ name, proxies, refusing }) => [name, proxies, refusing]),
    [
      ["a", { total: 3, online: 2, degraded: 0, offline: 1 }, 1],
      ["b", { total: 0, online: 0, degraded: 0, offline: 0 }, 0],
    ],
  );
  assert.equal(
    render(rows, new Date("2026-11-23T12:00:00Z")),
    "NAME   MTLS   PROXIES   ONLINE   DEGRADED   OFFLINE   REFUSING   AGE\na      -      3         2        0          1         1          1h\nb      -      0         0        0          0         0          -",
  );
});
