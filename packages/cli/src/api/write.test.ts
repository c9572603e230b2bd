import assert from "node:assert/strict";
import { test } from "node:test";
import { startFake, type Reply } from "../testkit/fake-control-plane.ts";
import { openApi } from "./api.ts";
import { putResource, type Written } from "./write.ts";

const TYPE = {
  name: "MeshTimeout",
  path: "meshtimeouts",
  shortName: "mt",
  singular: "Mesh Timeout",
  plural: "Mesh Timeouts",
  scope: "Mesh",
  readOnly: false,
  isPolicy: true,
} as const;

const cases: readonly (readonly [string, Reply, Written])[] = [
  [
    "reads outcome, revision and warnings",
    { status: 200, headers: { "heddle-outcome": "updated", "heddle-revision": "7" }, body: { warnings: ["w"] } },
    { outcome: "updated", revision: 7, warnings: ["w"] },
  ],
  [
    "has no revision to wait for when nothing changed",
    { status: 200, headers: { "heddle-outcome": "unchanged", "heddle-revision": "7" } },
    { outcome: "unchanged", revision: undefined, warnings: [] },
  ],
  [
    "goes by the status where no header tells more, as with Kuma",
    { status: 201 },
    { outcome: "created", revision: undefined, warnings: [] },
  ],
];
for (const [what, reply, expected] of cases) {
  test(`putResource() ${what}`, async () => {
    await using fake = await startFake({ "PUT /meshes/default/meshtimeouts/slow": reply });
    const api = openApi(
      { name: "", address: fake.address },
      { timeoutMillis: 5_000, signal: new AbortController().signal },
    );
    assert.deepEqual(await putResource(api, { type: TYPE, mesh: "default", name: "slow" }, { spec: {} }), expected);
    assert.deepEqual(fake.calls[0]?.body, { spec: {} });
  });
}
