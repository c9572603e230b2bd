import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, meshService, mtls, startLab } from "../support/lab.ts";
import { ask } from "../support/traffic.ts";

const ROUTE = (rules: string): string => `
type: MeshHTTPRoute
mesh: default
name: to-api
spec:
  to:
    - targetRef: { kind: MeshService, name: api }
      rules:
${rules}
`;

test("MeshHTTPRoute and MeshTimeout on real traffic", async (t) => {
  const lab = await startLab(t);
  const services = [
    meshService("api"),
    meshService("api-v1", { labels: { app: "api", version: "v1" } }),
    meshService("api-v2", { labels: { app: "api", version: "v2" } }),
  ];
  await lab.apply([mtls(), ALLOW_ALL, ...services].join("---\n"));
  const seen: { version: string; url: string; header: string }[] = [];
  for (const version of ["v1", "v2"]) {
    const app = await application(t, version, (request, response) => {
      seen.push({ version, url: request.url ?? "", header: String(request.headers["x-added"] ?? "") });
      const wait = request.url?.startsWith("/slow") ? 2_000 : 0;
      setTimeout(() => response.end(version), wait);
    });
    await lab.sidecar({
      name: `api-${version}`,
      labels: { app: "api", version, "kuma.io/workload": "api" },
      servicePort: app.port,
    });
  }
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["api"] });
  const url = web.outbound("api");
  await eventually(async () => assert.equal((await ask(url)).status, 200));

  await t.test("90/10 split stays within four standard deviations", async () => {
    await lab.apply(
      ROUTE(`
        - matches: [{ path: { type: PathPrefix, value: / } }]
          default:
            backendRefs:
              - { kind: MeshService, name: api-v1, port: 80, weight: 90 }
              - { kind: MeshService, name: api-v2, port: 80, weight: 10 }`),
    );
    await lab.settled();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask(url)));
    const second = answers.filter(({ body }) => body === "v2").length;
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    // Binomial, n = 1000, p = 0.1: mean 100, standard deviation 9.5.
    assert.ok(second >= 62 && second <= 138, `${second} of 1000 requests went to v2`);
  });

  await t.test("a header picks the backend", async () => {
    await lab.apply(
      ROUTE(`
        - matches: [{ headers: [{ type: Exact, name: x-version, value: two }] }]
          default: { backendRefs: [{ kind: MeshService, name: api-v2, port: 80 }] }
        - matches: [{ path: { type: PathPrefix, value: / } }]
          default: { backendRefs: [{ kind: MeshService, name: api-v1, port: 80 }] }`),
    );
    await lab.settled();
    assert.equal((await ask(url, { headers: { "x-version": "two" } })).body, "v2");
    assert.equal((await ask(url)).body, "v1");
  });

  await t.test("headers and paths are rewritten, a redirect answers, a mirror gets a copy", async () => {
    await lab.apply(
      ROUTE(`
        - matches: [{ path: { type: PathPrefix, value: /old } }]
          default:
            filters:
              - type: URLRewrite
                urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /new } }
              - type: RequestHeaderModifier
                requestHeaderModifier: { set: [{ name: x-added, value: "100%" }] }
            backendRefs: [{ kind: MeshService, name: api-v1, port: 80 }]
        - matches: [{ path: { type: Exact, value: /moved } }]
          default:
            filters:
              - type: RequestRedirect
                requestRedirect: { hostname: example.com, statusCode: 301 }
        - matches: [{ path: { type: Exact, value: /copied } }]
          default:
            filters:
              - type: RequestMirror
                requestMirror: { percentage: 100, backendRef: { kind: MeshService, name: api-v2, port: 80 } }
            backendRefs: [{ kind: MeshService, name: api-v1, port: 80 }]`),
    );
    await lab.settled();
    seen.length = 0;
    assert.equal((await ask(`${url}/old/thing?q=1`)).status, 200);
    assert.deepEqual(seen.at(-1), { version: "v1", url: "/new/thing?q=1", header: "100%" });
    const moved = await ask(`${url}/moved`);
    assert.equal(moved.status, 301);
    assert.match(String(moved.headers["location"]), /^http:\/\/example\.com/);
    seen.length = 0;
    assert.equal((await ask(`${url}/copied`)).body, "v1");
    await eventually(() => assert.deepEqual(seen.map(({ version }) => version).toSorted(), ["v1", "v2"]));
  });

  await t.test("a timeout cuts a slow answer off", async () => {
    await lab.apply(`
type: MeshTimeout
mesh: default
name: quick
spec:
  to:
    - targetRef: { kind: MeshService, name: api }
      default: { http: { requestTimeout: 300ms } }
`);
    await lab.settled();
    const started = performance.now();
    assert.equal((await ask(`${url}/slow`)).status, 504);
    assert.ok(performance.now() - started < 1_500, "the timeout came late");
    assert.equal((await ask(url)).status, 200);
    await lab.delete("MeshTimeout", "quick");
    await lab.settled();
    assert.equal((await ask(`${url}/slow`)).status, 200);
  });
});
