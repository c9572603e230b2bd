import assert from "node:assert/strict";
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startFake } from "../../testkit/fake-control-plane.ts";
import { folderWith, runHeddle } from "../../testkit/run-heddle.ts";
import { runHere } from "../../testkit/run-line.ts";

const online = [
  [
    [
      "dataplane-token",
      "--name",
      "web-1",
      "--mesh",
      "prod",
      "--tag",
      "a=1,2",
      "--tag",
      "b=3",
      "--workload",
      "w",
      "--valid-for",
      "1h",
    ],
    "POST /tokens/dataplane",
    { name: "web-1", mesh: "prod", tags: { a: ["1", "2"], b: ["3"] }, type: "", workload: "w", validFor: "3600000ms" },
  ],
  [
    ["dataplane-token"],
    "POST /tokens/dataplane",
    { name: "", mesh: "default", tags: {}, type: "", workload: "", validFor: "315360000000ms" },
  ],
  [
    ["user-token", "--name", "ada", "--group", "a", "--group", "b,c", "--valid-for", "24h"],
    "POST /tokens/user",
    { name: "ada", groups: ["a", "b", "c"], validFor: "86400000ms" },
  ],
  [
    ["zone-token", "--zone", "east", "--scope", "cp", "--valid-for", "30d"],
    "POST /tokens/zone",
    { zone: "east", scope: ["cp"], validFor: "2592000000ms" },
  ],
] as const;
for (const [words, call, body] of online) {
  test(`generate ${words.join(" ")} has the control plane sign`, async () => {
    await using fake = await startFake({ [call]: { body: "a.b.c" } });
    const { code, stdout } = await runHere(["generate", ...words], { env: { HEDDLE_ADDRESS: fake.address } });
    // No line end: a proxy that reads the token from the file takes every byte of it.
    assert.deepEqual([code, stdout], [0, "a.b.c"]);
    assert.deepEqual(fake.calls[0]?.body, body);
  });
}

test("generate dataplane-token says what a proxy with it may still choose, beside the token", async () => {
  await using fake = await startFake({ "POST /tokens/dataplane": { body: "a.b.c" } });
  const said = async (...more: string[]): Promise<string> => {
    const words = ["generate", "dataplane-token", "--name", "web-1", ...more];
    const { stdout, stderr } = await runHere(words, { env: { HEDDLE_ADDRESS: fake.address } });
    assert.equal(stdout, "a.b.c");
    return stderr;
  };
  assert.match(await said(), /a proxy chooses its labels and tags itself.*--workload or --tag/);
  assert.equal(await said("--workload", "web"), "");
  assert.equal(await said("--tag", "a=1"), "");
});

test("generate signs here with a key of its own, and the public half of it verifies that", async () => {
  const { stdout: key } = await runHere(["generate", "signing-key"]);
  await using folder = await folderWith({ "key.pem": key });
  const path = join(folder.path, "key.pem");
  const { stdout: publicKey } = await runHere(["generate", "public-key", "--signing-key-path", path]);
  const words = ["--name", "web-1", "--tag", "a=1", "--valid-for", "1h", "--kid", "7", "--signing-key-path", path];
  const { code, stdout } = await runHere(["generate", "dataplane-token", ...words]);
  assert.equal(code, 0);
  const [header = "", payload = "", signature = ""] = stdout.trim().split(".");
  assert.equal(
    verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      createPublicKey(publicKey),
      Buffer.from(signature, "base64url"),
    ),
    true,
  );
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  assert.deepEqual([claims["Name"], claims["Mesh"], claims["Tags"]], ["web-1", "default", { a: ["1"] }]);
  assert.equal((claims["exp"] as number) - (claims["iat"] as number), 3_600);
  assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), { alg: "RS256", kid: "7", typ: "JWT" });
});

test("generate reads a signing key from standard input, and refuses what is no key", async () => {
  const { stdout: key } = await runHere(["generate", "signing-key", "--format", "pem-base64"]);
  const pem = Buffer.from(key, "base64").toString();
  const user = ["generate", "user-token", "--name", "a", "--valid-for", "1h", "--kid", "1", "--signing-key-path", "-"];
  assert.equal((await runHere(user, { stdin: pem })).code, 0);
  const { code, stderr } = await runHere(user, { stdin: "not a key" });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot sign with "-"/);
  assert.doesNotMatch(stderr, /not a key/);
});

for (const words of [
  ["dataplane-token", "--kid", "1"],
  ["user-token", "--name", "a"],
  ["user-token", "--name", "a", "--valid-for", "soon"],
  ["user-token", "--name", "a", "--valid-for", "0s"],
  ["tls-certificate", "--type", "server"],
  ["tls-certificate", "--type", "server", "--hostname", "not a host"],
]) {
  test(`generate ${words.join(" ")} is wrong usage`, async () => {
    const { code, stdout } = await runHere(["generate", ...words], { env: { HEDDLE_ADDRESS: "http://127.0.0.1:1" } });
    assert.deepEqual([code, stdout], [2, ""]);
  });
}

test("generate tls-certificate writes a certificate and its key, the key for its owner alone", async () => {
  await using folder = await folderWith({});
  const words = ["generate", "tls-certificate", "--type", "server", "--hostname", "cp.example.com,10.0.0.5"];
  assert.equal((await runHeddle(words, { cwd: folder.path })).code, 0);
  const certificate = new X509Certificate(await readFile(join(folder.path, "cert.pem")));
  assert.equal(certificate.checkHost("cp.example.com"), "cp.example.com");
  assert.equal(certificate.checkIP("10.0.0.5"), "10.0.0.5");
  assert.equal((await stat(join(folder.path, "key.pem"))).mode & 0o777, 0o600);
});

test("generate tls-certificate overwrites nothing unless told to", async () => {
  await using folder = await folderWith({});
  await writeFile(join(folder.path, "key.pem"), "precious");
  const words = ["generate", "tls-certificate", "--type", "client", "--key-type", "rsa"];
  const { code, stderr } = await runHeddle(words, { cwd: folder.path });
  assert.equal(code, 1);
  assert.match(stderr, /"key\.pem": the file is there already\n.*--overwrite/);
  assert.equal(await readFile(join(folder.path, "key.pem"), "utf8"), "precious");
  assert.equal((await runHeddle([...words, "--overwrite"], { cwd: folder.path })).code, 0);
});
