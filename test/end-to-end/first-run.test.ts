import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { runHeddle } from "@heddle/cli/testkit/run-heddle.ts";
import { stringify } from "yaml";
import { controlPlaneProcess } from "../support/control-plane-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { processesWith } from "../support/kill-sidecar.ts";
import { dataplane } from "../support/dataplane.ts";
import { type Lab, startLab } from "../support/lab.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const ANY_PORTS = [
  "--api-http-port=0",
  "--api-https-port=0",
  "--dp-port=0",
  "--diagnostics-port=0",
  "--rate-limit-port=0",
  "--mads-port=0",
];

/** A folder of its own, gone with the test. */
async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as { readonly port: number }).port;
}

const ports = [
  ["--api-http-port", "HEDDLE_API_SERVER_HTTP_PORT"],
  ["--api-https-port", "HEDDLE_API_SERVER_HTTPS_PORT"],
  ["--dp-port", "HEDDLE_DP_SERVER_PORT"],
  ["--diagnostics-port", "HEDDLE_DIAGNOSTICS_SERVER_PORT"],
  ["--rate-limit-port", "HEDDLE_RATE_LIMIT_PORT"],
  ["--mads-port", "HEDDLE_MONITORING_ASSIGNMENT_SERVER_PORT"],
] as const;
for (const [index, [flag, variable]] of ports.entries()) {
  const command = index % 2 === 0 ? ["cp", "run"] : ["up"];
  test(`heddle ${command.join(" ")} says who has the port of ${flag}, and what changes it`, async (t) => {
    const port = await takenPort(t);
    const others = ANY_PORTS.filter((each) => !each.startsWith(`${flag}=`));
    const { code, stderr } = await runHeddle([...command, "--store=memory", `${flag}=${port}`, ...others]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(String.raw`:${port}: .*\(pid ${process.pid}\).*${flag} / ${variable}`));
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  });
}

const folders = [
  ["is a file", (folder: string) => join(folder, "file"), /Cannot use the data folder ".*": it is a file; .*--data/],
  ["lies in a file", (folder: string) => join(folder, "file", "in"), /a file is where one of its parents should be/],
  ["holds no store but garbage", (folder: string) => folder, /it is not a database; restore it .* or move it away/],
] as const;
for (const [what, pick, sentence] of folders) {
  test(`heddle cp run explains a data folder that ${what}`, async (t) => {
    const folder = await folderOf(t);
    await writeFile(join(folder, "file"), "");
    await writeFile(join(folder, "store.sqlite"), "no database, whatever its name says");
    const { code, stderr } = await runHeddle(["cp", "run", "--data", pick(folder), ...ANY_PORTS]);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /should not happen/);
  });
}

test("heddle cp run names every wrong setting at once, by the name it was given under", async () => {
  const words = ["cp", "run", "--store", "paper", "--dp-port", "many"];
  const { code, stderr } = await runHeddle(words, { env: { KUMA_API_SERVER_HTTP_PORT: "99999" } });
  assert.equal(code, 2);
  for (const name of ["--store: must be one of", "--dp-port: must be", "KUMA_API_SERVER_HTTP_PORT: must be"])
    assert.match(stderr, new RegExp(name));
});

test("heddle cp run: two run side by side under Kuma's names, and none takes another's data folder", async (t) => {
  const folder = await folderOf(t);
  const [first, second] = await Promise.all([
    controlPlaneProcess(t, join(folder, "first")),
    controlPlaneProcess(t, join(folder, "second")),
  ]);
  for (const { apiUrl } of [first, second]) {
    const { code, stdout } = await runHeddle(["get", "meshes", "-o", "name"], { env: { HEDDLE_ADDRESS: apiUrl } });
    assert.deepEqual([code, stdout], [0, "meshes/default\n"]);
  }
  const third = await runHeddle(["cp", "run", "--data", join(folder, "first", "data"), ...ANY_PORTS]);
  assert.equal(third.code, 1);
  assert.match(third.stderr, /process \d+ on .* has it open; stop that one, or choose another data folder/);
});

test("heddle says what to do when no control plane is there", async () => {
  const env = { HEDDLE_ADDRESS: `http://127.0.0.1:${await freePort()}` };
  for (const words of [
    ["get", "meshes"],
    ["apply", "-f", "-"],
    ["inspect", "dataplanes"],
  ]) {
    const { code, stderr } = await runHeddle(words, { env, stdin: "type: Mesh\nname: m\n" });
    assert.equal(code, 1);
    assert.match(stderr, /nothing listens there\n.*heddle cp run/);
  }
});

/** What a newcomer gets wrong when starting the first proxy. */
interface Launch {
  readonly lab: Lab;
  readonly other: Lab;
  readonly args: Record<string, string>;
  readonly resource: { networking: { inbound: Record<string, unknown>[] } };
}
const launches: readonly (readonly [string, (launch: Launch) => unknown, RegExp, Record<string, string>?])[] = [
  ["no authority", ({ args }) => delete args["ca-cert-file"], /signed by no authority[\s\S]*--ca-cert-file: ca\.pem/],
  [
    "another control plane's authority",
    async ({ args, other }) => await writeFile(args["ca-cert-file"] ?? "", other.at.caPem),
    /not signed by the authority in --ca-cert-file/,
  ],
  [
    "no token",
    ({ args }) => delete args["dataplane-token-file"],
    /generate dataplane-token --mesh=default --name=web-1/,
  ],
  [
    "a token file that is not there",
    ({ args }) => (args["dataplane-token-file"] += "x"),
    /token file ".*": no such file/,
  ],
  [
    "another control plane's token",
    async ({ args, other }) => await writeFile(args["dataplane-token-file"] ?? "", await other.token("web-1")),
    /its signature does not fit/,
  ],
  [
    "the REST API's address",
    ({ args, lab }) => (args["cp-address"] = lab.at.apiUrl.replace("http:", "https:")),
    /does not speak TLS\n.*5678/,
  ],
  [
    "a field that does not exist",
    ({ resource }) => Object.assign(resource.networking.inbound[0] ?? {}, { servicPort: 1 }),
    /networking\.inbound\[0\]\.servicPort: unknown field, did you mean "servicePort"\?/,
  ],
  [
    "a port that the control plane has",
    ({ resource, lab }) => Object.assign(resource.networking.inbound[0] ?? {}, { port: lab.at.dpPort }),
    /which inbound main needs, is in use by process .*\(pid \d+\)\n.*networking\.inbound\[0\]\.port/,
  ],
  [
    "an Envoy that is none",
    () => undefined,
    /Envoy "\/bin\/false" that HEDDLE_ENVOY names/,
    { HEDDLE_ENVOY: "/bin/false" },
  ],
];
test("heddle dp run ends at once with one error that says what to correct", async (t) => {
  const [lab, other] = await Promise.all([startLab(t), startLab(t)]);
  for (const [what, spoil, sentence, env = {}] of launches) {
    await t.test(what, async (st) => {
      const folder = await folderOf(st);
      const args: Record<string, string> = {
        "cp-address": `https://localhost:${lab.at.dpPort}`,
        "ca-cert-file": join(folder, "ca.pem"),
        "dataplane-token-file": join(folder, "token"),
        "dataplane-file": join(folder, "dp.yaml"),
      };
      const resource = dataplane({ name: "web-1", servicePort: 1 }, await freePort(), []) as Launch["resource"];
      await writeFile(join(folder, "ca.pem"), lab.at.caPem);
      await writeFile(join(folder, "token"), await lab.token("web-1"));
      await spoil({ lab, other, args, resource });
      await writeFile(join(folder, "dp.yaml"), stringify(resource));
      const words = Object.entries(args).map(([flag, value]) => `--${flag}=${value}`);
      const { code, stderr } = await runHeddle(["dp", "run", ...words], { env });
      assert.equal(code, 1, stderr);
      assert.match(stderr, sentence);
      assert.equal(stderr.split("\n").filter((line) => line.startsWith("heddle: ")).length, 1, stderr);
    });
  }
});

/** `heddle up --demo` in a process group of its own, its temporary files in `folder`. */
async function startDemo(
  t: TestContext,
  folder: string,
): Promise<{ child: ChildProcess; page: string; output: () => string }> {
  const child = spawn(process.execPath, [CLI, "up", "--demo", "--data", join(folder, "data"), ...ANY_PORTS], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  await eventually(() => {
    assert.equal(child.exitCode, null, output);
    assert.match(output, /first request +through four sidecars/);
  }, 60_000);
  return { child, page: /page +(http:\S+)/.exec(output)?.[1] ?? "", output: () => output };
}

async function nothingIsLeft(folder: string, page: string): Promise<void> {
  await eventually(async () => {
    const left = await processesWith(folder);
    assert.deepEqual(
      left.map(({ command }) => command),
      [],
    );
    await assert.rejects(fetch(page), "the services run on");
  }, 20_000);
}

test("heddle up --demo ends with the words of the sidecar that cannot start", async (t) => {
  const folder = await folderOf(t);
  const env = { TMPDIR: folder, HEDDLE_ENVOY: "/bin/false" };
  const { code, stderr } = await runHeddle(["up", "--demo", "--store=memory", ...ANY_PORTS], { env });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot start the demo: sidecar .* ended with code 1[\s\S]*Envoy "\/bin\/false"/);
  assert.deepEqual(await processesWith(folder), []);
});

test("heddle up --demo serves its page, and neither Ctrl-C nor kill -9 leaves anything running", async (t) => {
  const folder = await folderOf(t);
  const first = await startDemo(t, folder);
  assert.match(await (await fetch(first.page)).text(), /counted by the data service, told by <strong>api-v\d/);
  const ended = new Promise((resolve) => first.child.once("exit", resolve));
  // As under npm in a terminal: once from the terminal, once passed on by npm.
  first.child.kill("SIGINT");
  first.child.kill("SIGINT");
  assert.equal(await ended, 0, first.output());
  assert.match(first.output(), /nothing is left running/);
  await nothingIsLeft(folder, first.page);

  const second = await startDemo(t, folder);
  assert.ok((await processesWith(folder)).length >= 8, "four sidecars with their supervisors were expected");
  second.child.kill("SIGKILL");
  await nothingIsLeft(folder, second.page);
});
