import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startFake, type Reply, type Script } from "../testkit/fake-control-plane.ts";
import { folderWith, runHeddle, runInTerminal } from "../testkit/run-heddle.ts";

const TIMEOUT = "type: MeshTimeout\nname: slow\nspec: {}\n";
const created = (revision: number): Reply => ({
  status: 201,
  headers: { "heddle-outcome": "created", "heddle-revision": String(revision) },
});
const UNCHANGED: Reply = { headers: { "heddle-outcome": "unchanged", "heddle-revision": "9" } };
const INVALID: Reply = {
  status: 400,
  body: {
    title: "Could not create a resource",
    detail: "Resource is not valid",
    invalid_parameters: [
      { field: "spec.to[0].default", reason: "must be set" },
      { field: "spec.too", reason: 'unknown field, did you mean "to"?' },
    ],
  },
};
const progress = (acked: number, rest: object = {}) => ({
  revision: 42,
  proxies: { affected: 3, acked },
  rejected: [],
  elapsedMillis: 12,
  done: false,
  ...rest,
});
const ROLLED_OUT: Script = {
  "PUT /meshes/default/meshtimeouts/slow": created(42),
  "GET /rollouts/42": {
    lines: [
      [0, progress(1)],
      [20, progress(3, { done: true })],
    ],
  },
};
const REJECTED = {
  mesh: "default",
  name: "web-1",
  typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
  resources: ["inbound:8080"],
  detail: "no such filter",
  origins: ["kri_mt_default___slow_"],
};

async function apply(script: Script, words: readonly string[], stdin = TIMEOUT) {
  await using fake = await startFake(script);
  const outcome = await runHeddle(["apply", ...words], { env: { HEDDLE_ADDRESS: fake.address }, stdin });
  return { ...outcome, calls: [...fake.calls] };
}

test("apply tells each outcome and then how many proxies acknowledged", async () => {
  const { code, stdout, stderr, calls } = await apply(ROLLED_OUT, ["-f", "-"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^created {3}MeshTimeout default\/slow\nACKed 3\/3 proxies in [\d.]+ m?s\n$/);
  const [, put, rollout] = calls;
  assert.deepEqual(put?.body, { type: "MeshTimeout", name: "slow", spec: {}, mesh: "default" });
  assert.deepEqual([rollout?.query.get("since"), rollout?.query.get("timeout")], ["41", "30000ms"]);
});

test("apply waits for nothing when nothing changed, and with --no-wait", async () => {
  const unchanged = await apply({ "PUT /meshes/default/meshtimeouts/slow": UNCHANGED }, ["-f", "-"]);
  assert.deepEqual([unchanged.code, unchanged.stdout], [0, "unchanged MeshTimeout default/slow\n"]);
  const hasty = await apply(ROLLED_OUT, ["-f", "-", "--no-wait"]);
  assert.equal(hasty.stdout, "created   MeshTimeout default/slow\n");
  assert.ok(![...unchanged.calls, ...hasty.calls].some(({ path }) => path.startsWith("/rollouts")));
});

test("apply fails with Envoy's words, the resource and the origin when a proxy refuses", async () => {
  const lines: Reply = { lines: [[0, progress(2, { done: true, rejected: [REJECTED] })]] };
  const { code, stdout } = await apply({ ...ROLLED_OUT, "GET /rollouts/42": lines }, ["-f", "-"]);
  assert.equal(code, 1);
  assert.match(stdout, /ACKed 2\/3 proxies in [\d.]+ m?s, 1 refused\nNACK default\/web-1/);
  assert.match(stdout, /Listener inbound:8080\n.*no such filter\n.*kri_mt_default___slow_/);
});

test("apply fails when proxies do not answer in time", async () => {
  const lines: Reply = {
    lines: [
      [0, progress(1)],
      [0, progress(1, { timedOut: true, elapsedMillis: 100 })],
    ],
  };
  const { code, stdout } = await apply({ ...ROLLED_OUT, "GET /rollouts/42": lines }, ["-f", "-", "--timeout", "100ms"]);
  assert.equal(code, 1);
  assert.match(stdout, /ACKed 1\/3 proxies; the others gave no answer in [\d.]+ m?s/);
});

test("apply is content with a control plane that tells no roll-outs", async () => {
  const { code, stdout } = await apply({ "PUT /meshes/default/meshtimeouts/slow": { status: 201 } }, ["-f", "-"]);
  assert.deepEqual([code, stdout], [0, "created   MeshTimeout default/slow\n"]);
});

test("apply sends each document on its own, meshes first, and fails when one was refused", async () => {
  const documents = `${TIMEOUT}---\ntype: MeshTimeout\nname: bad\n---\ntype: Mesh\nname: prod\n---\ntype: MeshTimeot\nname: x\n`;
  const script = { ...ROLLED_OUT, "PUT /meshes/default/meshtimeouts/bad": INVALID, "PUT /meshes/prod": created(41) };
  await using folder = await folderWith({ "all.yaml": documents });
  const { code, stdout, stderr, calls } = await apply(script, ["-f", join(folder.path, "all.yaml")]);
  assert.equal(code, 1);
  assert.deepEqual(stdout.split("\n").slice(0, 4), [
    "created   Mesh prod",
    "created   MeshTimeout default/slow",
    "failed    MeshTimeout default/bad",
    "failed    MeshTimeot x",
  ]);
  assert.match(stdout, /ACKed 3\/3 proxies/);
  assert.match(stderr, /Cannot apply MeshTimeout default\/bad: .*Resource is not valid/);
  assert.match(
    stderr,
    /in .*all\.yaml:5, document 2\n {2}spec\.to\[0\]\.default: must be set\n {2}spec\.too: unknown field, did you mean "to"\?/,
  );
  assert.match(stderr, /Write it as "MeshTimeout"/);
  // The roll-out covers all writes: from before the first to the last.
  assert.equal(calls.find(({ path }) => path === "/rollouts/42")?.query.get("since"), "40");
  assert.deepEqual(calls.find(({ path }) => path === "/meshes/prod")?.body, { type: "Mesh", name: "prod" });
});

test("apply sends nothing when a document cannot be read, and shows the line", async () => {
  await using folder = await folderWith({ "a.yaml": TIMEOUT, "b.yaml": "type: Mesh\nname: 'x\n" });
  const { code, stderr, calls } = await apply(ROLLED_OUT, ["-f", folder.path]);
  assert.equal(code, 1);
  assert.match(stderr, /nothing was sent\n {2}.*b\.yaml:\d+:\d+: .*quote/);
  assert.deepEqual(calls, []);
});

test("apply names the variables that have no value, and sends nothing", async () => {
  const { code, stderr, calls } = await apply(
    ROLLED_OUT,
    ["-f", "-", "-v", "a=1"],
    "type: {{ a }}\nname: {{ who }}-{{ where }}\n",
  );
  assert.equal(code, 1);
  assert.match(stderr, /no value for "who", "where"; nothing was sent\n {2}-> Add -v who=VALUE -v where=VALUE/);
  assert.deepEqual(calls, []);
});

test("apply fills in variables", async () => {
  const { code } = await apply(
    ROLLED_OUT,
    ["-f", "-", "-v", "who=slow", "-v", "kind=MeshTimeout"],
    "type: {{ kind }}\nname: {{ who }}\n",
  );
  assert.equal(code, 0);
});

test("apply reads folders in the order of their names, and only YAML and JSON", async () => {
  await using folder = await folderWith({
    "2.json": '{"type": "MeshTimeout", "name": "slow"}',
    "1.yml": "type: MeshTimeout\nname: first\n",
    "notes.txt": "not: [yaml",
  });
  const script = { ...ROLLED_OUT, "PUT /meshes/default/meshtimeouts/first": UNCHANGED };
  const { stdout } = await apply(script, ["-f", folder.path]);
  assert.match(stdout, /^unchanged MeshTimeout default\/first\ncreated {3}MeshTimeout default\/slow\n/);
});

test("apply says what is wrong with a place that holds nothing", async () => {
  await using folder = await folderWith({});
  await mkdir(join(folder.path, "inner"));
  await writeFile(join(folder.path, "empty.txt"), "");
  const cases = [
    [["-f", "/nonexistent.yaml"], /Cannot read "\/nonexistent\.yaml": there is no such file or folder/],
    [["-f", folder.path], /holds no \.yaml, \.yml or \.json file\n.*not entered; name them: -f .*inner/],
    [["-f", "-"], /Cannot find a resource in standard input/],
  ] as const;
  for (const [words, expected] of cases) {
    const { code, stderr } = await apply({}, words, "# nothing\n");
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
});

test("apply reads a URL", async () => {
  await using site = await startFake({ "GET /a.yaml": { body: TIMEOUT } });
  assert.equal((await apply(ROLLED_OUT, ["-f", `${site.address}/a.yaml`])).code, 0);
  const missing = await apply(ROLLED_OUT, ["-f", `${site.address}/b.yaml`]);
  assert.match(missing.stderr, /b\.yaml": the server answers with status 404/);
});

test("apply prints data alone with -o json", async () => {
  const script = { ...ROLLED_OUT, "PUT /meshes/default/meshtimeouts/bad": INVALID };
  const { code, stdout } = await apply(
    script,
    ["-f", "-", "-o", "json"],
    `${TIMEOUT}---\ntype: MeshTimeout\nname: bad\n`,
  );
  assert.equal(code, 1);
  const { documents, rollout } = JSON.parse(stdout) as {
    documents: { outcome: string; error?: { violations: unknown[] } }[];
    rollout: { elapsedMillis: number };
  };
  assert.deepEqual(
    documents.map(({ outcome }) => outcome),
    ["created", "failed"],
  );
  assert.deepEqual(documents[1]?.error?.violations[0], { field: "spec.to[0].default", message: "must be set" });
  const { elapsedMillis, ...rest } = rollout;
  assert.deepEqual(rest, { affected: 3, acked: 3, rejected: [], state: "done" });
  assert.ok(elapsedMillis >= 0);
});

test("apply shows warnings on standard error", async () => {
  const { stdout, stderr } = await apply(
    { "PUT /meshes/default/meshtimeouts/slow": { status: 201, body: { warnings: ["selects no proxy"] } } },
    ["-f", "-"],
  );
  assert.equal(stdout, "created   MeshTimeout default/slow\n");
  assert.equal(stderr, "warning: selects no proxy\n");
});

const PLAN: Reply = {
  body: {
    documents: [{ type: "MeshTimeout", mesh: "default", name: "slow", outcome: "updated" }],
    proxies: [
      {
        mesh: "default",
        name: "web-1",
        changes: [
          { typeUrl: "a.Cluster", name: "api", change: "changed", patch: [{ op: "replace", path: "/x", value: 1 }] },
        ],
      },
    ],
  },
};

test("apply --dry-run writes nothing and names the proxies that would change", async () => {
  const { code, stdout, calls } = await apply({ "POST /plan": PLAN }, ["-f", "-", "--dry-run"]);
  assert.deepEqual(
    [code, stdout],
    [0, "MeshTimeout default/slow would be updated\n1 proxy would change:\n  default/web-1 (1 resource)\n"],
  );
  assert.deepEqual(
    calls.map(({ method, path }) => `${method} ${path}`),
    ["GET /_resources", "POST /plan"],
  );
  assert.deepEqual(calls[1]?.body, {
    documents: [{ type: "MeshTimeout", name: "slow", spec: {}, mesh: "default" }],
    deletes: [],
    diff: false,
  });
});

test("apply --diff shows how documents and proxies would change", async () => {
  const script = {
    "POST /plan": PLAN,
    "GET /meshes/default/meshtimeouts/slow": {
      body: { type: "MeshTimeout", mesh: "default", name: "slow", spec: { old: 1 } },
    },
  };
  const { stdout } = await apply(script, ["-f", "-", "--diff", "--color", "always"]);
  const red = "\u001b[31m";
  assert.ok(stdout.includes(`${red}-spec:`), stdout);
  assert.ok(stdout.includes("~ /x  1"));
});

test("apply --dry-run fails when a document is not valid, and says so where there are no plans", async () => {
  const body = {
    documents: [
      {
        type: "MeshTimeout",
        mesh: "default",
        name: "slow",
        outcome: "invalid",
        violations: [{ field: "spec", message: "no" }],
      },
    ],
    proxies: [],
  };
  const invalid = await apply({ "POST /plan": { body } }, ["-f", "-", "--dry-run"]);
  assert.equal(invalid.code, 1);
  assert.match(invalid.stdout, /is not valid\n {2}spec: no/);
  assert.match((await apply({}, ["-f", "-", "--dry-run"])).stderr, /computes no plans/);
});

test("apply says on Ctrl-C that what is written stays written", async () => {
  const stuck: Reply = {
    lines: [
      [0, progress(1)],
      [60_000, undefined],
    ],
  };
  await using fake = await startFake({ ...ROLLED_OUT, "GET /rollouts/42": stuck });
  const { code, stderr } = await runHeddle(["apply", "-f", "-"], {
    env: { HEDDLE_ADDRESS: fake.address },
    stdin: TIMEOUT,
    stopWhen: (_, stdout) => stdout.includes("created"),
  });
  assert.equal(code, 130);
  assert.match(stderr, /Stopped waiting; what is written stays written\b[\s\S]*heddle inspect dataplanes/);
});

test("apply says on Ctrl-C how many documents were sent", async () => {
  const script = { ...ROLLED_OUT, "PUT /meshes/default/meshtimeouts/next": { lines: [[60_000, undefined]] as const } };
  await using fake = await startFake(script);
  const { code, stderr } = await runHeddle(["apply", "-f", "-"], {
    env: { HEDDLE_ADDRESS: fake.address },
    stdin: `${TIMEOUT}---\ntype: MeshTimeout\nname: next\n`,
    stopWhen: (_, stdout) => stdout.includes("created"),
  });
  assert.equal(code, 130);
  assert.match(stderr, /Stopped: 1 of 2 documents were sent\n.*Run the same command again/);
});

test("apply says how far it came when the control plane goes away", async () => {
  const { code, stderr } = await runHeddle(["apply", "-f", "-"], {
    env: { HEDDLE_ADDRESS: "http://127.0.0.1:1" },
    stdin: TIMEOUT,
  });
  assert.equal(code, 1);
  assert.match(stderr, /nothing listens there[\s\S]*heddle cp run/);
});

test("apply counts in place on a terminal, and leaves the result behind", async () => {
  await using fake = await startFake({
    ...ROLLED_OUT,
    "GET /rollouts/42": {
      lines: [
        [0, progress(1)],
        [300, progress(3, { done: true })],
      ],
    },
  });
  await using folder = await folderWith({ "a.yaml": TIMEOUT });
  const { code, output } = await runInTerminal(["apply", "-f", join(folder.path, "a.yaml")], {
    env: { HEDDLE_ADDRESS: fake.address },
  });
  assert.equal(code, 0);
  assert.match(output, /\r\u001b\[K[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ACKed 1\/3 proxies/);
  assert.match(output, /\u001b\[32mACKed\u001b\[39m 3\/3 proxies in [\d.]+ m?s\n/);
});
