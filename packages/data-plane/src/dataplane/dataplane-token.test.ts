import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkToken, loadToken, tokenProblem } from "./dataplane-token.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const SECONDS = NOW.getTime() / 1_000;
const PROXY = { mesh: "default", name: "backend-1" };

const cases = [
  ["a token of the mesh", { Mesh: "default" }, undefined],
  ["a token of the proxy", { Mesh: "default", Name: "backend-1", exp: SECONDS + 1 }, undefined],
  ["a token without Kuma's claims, such as a service account's", { sub: "system:serviceaccount:a:b" }, undefined],
  ["a clock that is a minute behind", { nbf: SECONDS + 60 }, undefined],
  ["an expired token", { exp: SECONDS - 1 }, /expired at 2026-06-01T11:59:59/],
  ["a token of tomorrow", { nbf: SECONDS + 86_400 }, /valid from 2026-06-02.*clock/],
  ["another mesh", { Mesh: "other" }, /for mesh "other", not "default"/],
  ["another proxy", { Mesh: "default", Name: "web-1" }, /for proxy "web-1", not "backend-1"/],
  ["an expiry beyond all dates", { exp: 1e300 }, undefined],
] as const;

for (const [what, claims, expected] of cases) {
  test(`tokenProblem() judges ${what}`, () => {
    const problem = tokenProblem(jwt(claims), PROXY, NOW);
    if (expected === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? "", expected);
  });
}

for (const text of ["", "abc", "a.b", "a.b.c.d", "!.!.!"]) {
  test(`tokenProblem() says that ${JSON.stringify(text)} is no JWT`, () => {
    assert.equal(tokenProblem(text, PROXY, NOW), "it is no JWT");
  });
}

test("checkToken() says which command makes the right token, and never shows the wrong one", () => {
  const token = jwt({ Mesh: "other" });
  assert.throws(
    () => checkToken(token, PROXY, NOW),
    (error: { message: string; next: string[] }) =>
      !error.message.includes(token) && /--mesh default --name backend-1/.test(error.next.join()),
  );
});

async function tokenFile(t: TestContext): Promise<{ readonly path: string; load(content: string): Promise<object> }> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-token-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "token");
  const load = async (content: string): Promise<object> => {
    await writeFile(path, content);
    return loadToken({ dataplaneToken: undefined, dataplaneTokenFile: path });
  };
  return { path, load };
}

test("loadToken() reads a token from its file, with or without a line break", async (t) => {
  const { path, load } = await tokenFile(t);
  assert.deepEqual(await load("a.b.c"), { token: "a.b.c", file: path });
  assert.deepEqual(await load("a.b.c\n"), { token: "a.b.c", file: path });
});

test("loadToken() refuses a token file that is empty, or not there", async (t) => {
  const { path, load } = await tokenFile(t);
  for (const nothing of ["", " \n"]) await assert.rejects(load(nothing), /is empty/);
  await rm(path);
  await assert.rejects(loadToken({ dataplaneToken: undefined, dataplaneTokenFile: path }), /no such file/);
});

function jwt(claims: object): string {
  return ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url")).join(".");
}
