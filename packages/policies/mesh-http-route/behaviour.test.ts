import assert from "node:assert/strict";
import { createServer, request, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

// What the words of a route come to on real requests: Envoy's own ideas of a prefix differ from the Gateway API's.
const mesh = `
type: Mesh
name: default
---
type: Dataplane
name: web-1
networking:
  address: 127.0.0.2
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }]
---
type: MeshService
name: backend
spec: { ports: [{ port: 80, appProtocol: http }] }
---
type: MeshHTTPRoute
name: routes
spec:
  to:
    - targetRef: { kind: MeshService, name: backend }
      rules:
        - matches: [{ path: { type: PathPrefix, value: /api } }]
          default: { filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /v2 } } }] }
        - matches: [{ path: { type: PathPrefix, value: /strip/ } }]
          default: { filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: / } } }] }
        - matches: [{ path: { type: PathPrefix, value: /full } }]
          default:
            filters:
              - { type: URLRewrite, urlRewrite: { hostname: else.where, path: { type: ReplaceFullPath, replaceFullPath: "/a\\\\1b" } } }
        - matches: [{ path: { type: Exact, value: /exact } }]
          default:
            filters:
              - type: RequestHeaderModifier
                requestHeaderModifier:
                  set: [{ name: x-set, value: "100%" }]
                  add: [{ name: x-add, value: more }]
                  remove: [x-remove]
        - matches: [{ path: { type: Exact, value: /formats } }]
          default:
            filters:
              - type: RequestHeaderModifier
                requestHeaderModifier:
                  set: [{ name: x-environment, value: "%ENVIRONMENT(PATH)%" }, { name: x-file, value: "%FILE_CONTENT(/etc/passwd)%" }]
                  add: [{ name: x-request, value: "%REQ(authorization)%" }]
        - matches: [{ path: { type: Exact, value: /tenant }, headers: [{ name: x-tenant, type: Exact, value: a }] }]
          default: { filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-for, value: tenant-a }] } }] }
        - matches: [{ path: { type: RegularExpression, value: "/item/[0-9]+" } }]
          default: { filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-item, value: "yes" }] } }] }
        - matches: [{ path: { type: PathPrefix, value: /moved } }]
          default:
            filters: [{ type: RequestRedirect, requestRedirect: { statusCode: 307, path: { type: ReplacePrefixMatch, replacePrefixMatch: / } } }]
        - matches: [{ path: { type: PathPrefix, value: /gone } }]
          default:
            backendRefs: [{ kind: MeshService, name: nowhere, port: 80 }]
        - matches: [{ path: { type: PathPrefix, value: /missing }, headers: [{ name: x-none, type: Absent }] }]
          default: { filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplaceFullPath, replaceFullPath: /absent } } }] }
`;

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

async function startRoutes(t: TestContext) {
  const backend = createServer((asked, answer) => {
    answer.end(JSON.stringify({ url: asked.url, headers: asked.headers } satisfies Seen));
  }).listen(0, "127.0.0.1");
  t.after(() => backend.close());
  await once(backend, "listening");
  const { port } = backend.address() as { readonly port: number };
  const ports = await runEnvoy(t, compileYaml(mesh, policies), { endpoints: { kri_msvc_default___backend_80: port } });
  const [outbound = 0] = ports.values();
  return async (path: string, headers: Record<string, string | string[]> = {}) => {
    const asked = request({ port: outbound, host: "127.0.0.1", path, headers, agent: false }).end();
    const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
    const body = await text(answer);
    const seen = answer.statusCode === 200 ? (JSON.parse(body) as Seen) : undefined;
    return {
      status: answer.statusCode,
      location: answer.headers.location,
      url: seen?.url,
      headers: seen?.headers ?? {},
    };
  };
}

test("meshHttpRoute does to real requests what its words say", { timeout: 60_000 }, async (t) => {
  const ask = await startRoutes(t);
  const rewritten: readonly (readonly [string, string])[] = [
    ["/api", "/v2"],
    ["/api/", "/v2/"],
    ["/api/x/y?q=1", "/v2/x/y?q=1"],
    ["/apis", "/apis"],
    ["/strip", "/"],
    ["/strip/", "/"],
    ["/strip/x", "/x"],
    ["/strip/x/?q=/strip/", "/x/?q=/strip/"],
    ["/stripped", "/stripped"],
    ["/full/of/it?q=1", "/a\\1b?q=1"],
    ["/missing/x?y", "/absent?y"],
    ["/unmatched?q", "/unmatched?q"],
  ];
  for (const [path, expected] of rewritten) {
    await t.test(`${path} arrives as ${expected}`, async () => assert.equal((await ask(path)).url, expected));
  }
  await t.test("a rewritten host name arrives", async () => {
    assert.equal((await ask("/full")).headers.host, "else.where");
  });
  await t.test("headers are set, added and removed, on that path only", async () => {
    const sent = { "x-set": "old", "x-add": "one", "x-remove": "please" };
    const { headers } = await ask("/exact?q", sent);
    assert.deepEqual([headers["x-set"], headers["x-add"], headers["x-remove"]], ["100%", "one, more", undefined]);
    assert.equal((await ask("/exact/", sent)).headers["x-set"], "old");
  });
  await t.test("a value is no format: nobody reads the proxy's machine, nor other headers, by it", async () => {
    const { headers } = await ask("/formats", { authorization: "secret" });
    assert.equal(headers["x-environment"], "%ENVIRONMENT(PATH)%");
    assert.equal(headers["x-file"], "%FILE_CONTENT(/etc/passwd)%");
    assert.equal(headers["x-request"], "%REQ(authorization)%");
  });
  await t.test("each line of a header counts by itself, and a list in one line is one value", async () => {
    const cases = [
      [["a"], "tenant-a"],
      [["b"], undefined],
      [["b", "a"], "tenant-a"],
      [["a,b"], undefined],
    ] as const;
    for (const [values, expected] of cases) {
      assert.equal(
        (await ask("/tenant", { "x-tenant": [...values] })).headers["x-for"],
        expected,
        values.join(" and "),
      );
    }
  });
  await t.test("a regular expression has to match the whole path", async () => {
    const found = await Promise.all(["/item/12", "/item/12?q", "/item/12/x"].map((path) => ask(path)));
    assert.deepEqual(
      found.map(({ headers }) => headers["x-item"]),
      ["yes", "yes", undefined],
    );
  });
  await t.test("a redirect replaces whole segments and keeps the query", async () => {
    const { status, location } = await ask("/moved/here?q=1", { host: "shop" });
    assert.deepEqual([status, location], [307, "http://shop/here?q=1"]);
  });
  await t.test("a header has to be absent where that is asked for", async () => {
    assert.equal((await ask("/missing", { "x-none": "here" })).url, "/missing");
  });
  await t.test("where no backend exists the answer is 500", async () => assert.equal((await ask("/gone")).status, 500));
});
