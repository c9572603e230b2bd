import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { startFake, type Script } from "../testkit/fake-control-plane.ts";
import { runHeddle, runInTerminal } from "../testkit/run-heddle.ts";
import { runHere } from "../testkit/run-line.ts";

const SLOW = {
  type: "MeshTimeout",
  mesh: "default",
  name: "slow",
  creationTime: "2020-01-01T00:00:00Z",
  spec: { targetRef: { kind: "Mesh" } },
};
const WEB = {
  type: "DataplaneOverview",
  mesh: "default",
  name: "web-1",
  creationTime: "2020-01-01T00:00:00Z",
  dataplane: { networking: { address: "10.0.0.1", inbound: [{ port: 80, tags: { "kuma.io/service": "web" } }] } },
  dataplaneInsight: { subscriptions: [{ connectTime: "2020-01-01T00:00:00Z" }] },
};
const SCRIPT: Script = {
  "GET /meshes/default/meshtimeouts": { body: { total: 1, items: [SLOW], next: null } },
  "GET /meshes/default/meshtimeouts/slow": { body: SLOW },
  "GET /meshes/default/dataplanes/_overview": { body: { total: 1, items: [WEB], next: null } },
  "GET /dataplanes/_overview": { body: { total: 1, items: [WEB], next: null } },
  "GET /meshes/default/secrets": { body: { total: 0, items: [], next: null } },
};

async function get(words: readonly string[], script = SCRIPT) {
  await using fake = await startFake(script);
  const outcome = await runHere(["get", ...words], { env: { HEDDLE_ADDRESS: fake.address } });
  return { ...outcome, calls: [...fake.calls] };
}

test("get alone lists the types", async () => {
  const { code, stdout } = await get([]);
  assert.equal(code, 0);
  assert.match(stdout, /^TYPE +GET +SHORT +SCOPE +WRITABLE\n/);
  assert.match(stdout, /^MeshTimeout +meshtimeouts +mt +Mesh +yes$/m);
});

test("get shows a table of what there is", async () => {
  const { code, stdout, stderr } = await get(["mt"]);
  assert.equal(code, 0);
  assert.match(stdout, /^MESH +NAME +TARGET +AGE\ndefault +slow +Mesh +\d+d\n$/);
  assert.equal(stderr, "");
});

test("get shows proxies with their state", async () => {
  const { stdout } = await get(["dataplanes", "--all-meshes"]);
  assert.match(
    stdout,
    /^MESH +NAME +TAGS +ADDRESS +STATUS +AGE\ndefault +web-1 +kuma\.io\/service=web +10\.0\.0\.1 +Online +\d+d\n$/,
  );
});

test("get prints data alone with -o json and -o yaml, and names with -o name", async () => {
  assert.deepEqual(JSON.parse((await get(["meshtimeout", "slow", "-o", "json"])).stdout), SLOW);
  assert.deepEqual(parse((await get(["meshtimeouts", "-o", "yaml"])).stdout), { total: 1, items: [SLOW] });
  assert.equal((await get(["meshtimeouts", "-o", "name"])).stdout, "meshtimeouts/slow\n");
});

test("get filters by labels on the server", async () => {
  const { calls } = await get(["meshtimeouts", "-l", "team=web", "-l", "example.com/a=b=c"]);
  const query = calls.at(-1)?.query;
  assert.equal(query?.get("filter[labels.team]"), "web");
  assert.equal(query?.get("filter[labels.example.com/a]"), "b=c");
});

test("get with a size shows one page and how to get the next", async () => {
  const page = { body: { total: 5, items: [SLOW], next: "http://x/meshes/default/meshtimeouts?size=1&offset=1" } };
  const { stdout, stderr, calls } = await get(["mt", "--size", "1"], {
    ...SCRIPT,
    "GET /meshes/default/meshtimeouts": page,
  });
  assert.equal(stdout.trim().split("\n").length, 2);
  assert.equal(stderr, "1 of 5 shown; the next ones: --size 1 --offset 1\n");
  assert.equal(calls.length, 2);
});

test("get says on standard error that there is nothing", async () => {
  const { code, stdout, stderr } = await get(["secrets"]);
  assert.deepEqual([code, stdout, stderr], [0, "", 'There are no Secrets in mesh "default"\n']);
});

test("get suggests a type, and fails as wrong usage", async () => {
  const { code, stdout, stderr } = await get(["meshtimeuts"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /Did you mean "meshtimeouts"\?/);
});

test("get fails for what is not there", async () => {
  const { code, stderr } = await get(["meshtimeout", "fast"]);
  assert.equal(code, 1);
  assert.match(stderr, /^heddle: Cannot get MeshTimeout default\/fast: .*Not found/);
});

for (const [words, message] of [
  [["mt", "--size", "0"], /--size "0": it must be a whole number from 1 to 1000/],
  [["mt", "slow", "--all-meshes"], /say which one with --mesh/],
  [["mt", "-l", "team"], /it must be written as key=value/],
  [["mt", "-o", "tabel"], /-o, --output/],
] as const) {
  test(`get refuses ${words.join(" ")} as wrong usage`, async () => {
    const { code, stderr } = await get(words);
    assert.equal(code, 2);
    assert.match(stderr, message);
  });
}

test("get colours on a terminal and keeps lines within it, and neither on a pipe", async () => {
  const wide = structuredClone(WEB);
  wide.dataplane.networking.inbound[0] = { port: 80, tags: { "kuma.io/service": "w".repeat(200) } };
  const script = { ...SCRIPT, "GET /meshes/default/dataplanes/_overview": { body: { total: 1, items: [wide] } } };
  await using fake = await startFake(script);
  const env = { HEDDLE_ADDRESS: fake.address };
  const { output } = await runInTerminal(["get", "dp"], { env });
  assert.match(output, /\u001b\[32mOnline\u001b\[39m/);
  assert.ok(
    output
      .replace(/\u001b\[[0-9;]*m/g, "")
      .split("\n")
      .every((line) => line.length <= 100),
  );
  const quiet = await runInTerminal(["get", "dp"], { env: { ...env, NO_COLOR: "1" } });
  assert.match(quiet.output, /Online/);
  assert.doesNotMatch(quiet.output, /\u001b\[3/);
  const { stdout } = await runHeddle(["get", "dp"], { env });
  assert.match(stdout, /w{200}/);
  assert.doesNotMatch(stdout, /\u001b/);
});
