import assert from "node:assert/strict";
import { test } from "node:test";
import { allHostnames, type Generator } from "./hostnames.ts";
import { renderHostname, templateProblem } from "./hostname-template.ts";
import type { HostnameGeneratorSpec } from "./kinds/hostname-generator.ts";
import type { Resource } from "./resource.ts";

const CONTEXT = {
  name: "web-xyz",
  displayName: "web",
  namespace: "shop",
  mesh: "default",
  zone: "east",
  labels: { team: "blue", "kuma.io/zone": "east" },
};

test("renderHostname() knows what Kuma's templates speak of", () => {
  const render = (template: string) => renderHostname(template, CONTEXT);
  assert.deepEqual(render("{{ .DisplayName }}.{{.Namespace}}.svc.{{ .Zone }}.mesh.local"), {
    ok: true,
    hostname: "web.shop.svc.east.mesh.local",
  });
  assert.deepEqual(render('{{ label "team" }}.{{ label `kuma.io/zone` }}.{{ .Name }}.{{ .Mesh }}'), {
    ok: true,
    hostname: "blue.east.web-xyz.default",
  });
});

test("renderHostname() says what is missing, and what is no host name", () => {
  const problem = (template: string) => {
    const rendered = renderHostname(template, CONTEXT);
    return rendered.ok ? rendered.hostname : rendered.problem;
  };
  assert.equal(problem('{{ label "owner" }}.mesh.local'), "label owner not found");
  assert.match(problem("{{ .Service }}.mesh.local"), /^\{\{ .Service \}\} is not known here; templates use/);
  assert.match(problem("{{ if .Zone }}x{{ end }}"), /^templates use \{\{ .DisplayName \}\}, .* only$/);
  assert.equal(problem("{{ .Zone }}_web"), '"east_web" is not a DNS name of lower-case letters, digits, "-" and "."');
  assert.equal(templateProblem('{{ label "any" }}.mesh.local'), undefined);
});

function generator(name: string, spec: HostnameGeneratorSpec, origin = "zone", day = "01"): Generator {
  return resource("HostnameGenerator", name, { spec, labels: { "kuma.io/origin": origin }, day }) as Generator;
}

interface Rest {
  readonly spec?: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly day?: string;
  readonly mesh?: string;
}

function resource(
  type: string,
  name: string,
  { spec = {}, labels = {}, day = "01", mesh = "default" }: Rest,
): Resource {
  const time = `2026-01-${day}T00:00:00Z`;
  return { type, name, mesh, labels, spec, version: 1, creationTime: time, modificationTime: time };
}

test("allHostnames() gives a service the name of every generator that means it", () => {
  const all = generator("all", { selector: { meshService: {} }, template: "{{ .DisplayName }}.svc.mesh.local" });
  const blue = generator("blue", {
    selector: { meshService: { matchLabels: { team: "blue" } } },
    template: "{{ .DisplayName }}.blue",
  });
  const services = [
    resource("MeshService", "a", { labels: { team: "blue" } }),
    resource("MeshService", "b", {}),
    resource("MeshExternalService", "c", { labels: { team: "blue" } }),
  ];
  const names = allHostnames([all, blue], services, "east").map(({ addresses }) =>
    addresses.map(({ hostname, hostnameGeneratorRef }) => `${hostnameGeneratorRef.coreName}: ${hostname}`),
  );
  assert.deepEqual(names, [["all: a.svc.mesh.local", "blue: a.blue"], ["all: b.svc.mesh.local"], []]);
});

test("allHostnames() leaves a name to who had it first, across kinds, and says so", () => {
  const generators = [
    generator("old", { selector: { meshService: {} }, template: "same.mesh.local" }),
    generator("foreign", { selector: { meshExternalService: {} }, template: "same.mesh.local" }, "global", "00"),
  ];
  const services = [
    resource("MeshService", "young", { day: "03" }),
    resource("MeshService", "old", { day: "02" }),
    resource("MeshExternalService", "outside", {}),
    resource("MeshService", "elsewhere", { mesh: "other" }),
  ];
  const [young, old, outside, elsewhere] = allHostnames(generators, services, "east");
  assert.equal(old?.addresses.length, 1);
  assert.equal(elsewhere?.addresses.length, 1);
  assert.deepEqual(young?.addresses, []);
  assert.deepEqual(young?.hostnameGenerators, [
    {
      hostnameGeneratorRef: { coreName: "old" },
      conditions: [
        {
          type: "Generated",
          status: "False",
          reason: "Collision",
          message: "Hostname collision with MeshService: old",
        },
      ],
    },
  ]);
  assert.equal(outside?.hostnameGenerators[0]?.conditions[0]?.reason, "Collision");
});

test("allHostnames() tells of a template that one service cannot fill", () => {
  const byLabel = generator("owned", { selector: { meshService: {} }, template: '{{ label "owner" }}.mesh.local' });
  const [only] = allHostnames([byLabel], [resource("MeshService", "a", {})], "east");
  assert.deepEqual(only?.hostnameGenerators[0]?.conditions, [
    { type: "Generated", status: "False", reason: "TemplateError", message: "label owner not found" },
  ]);
});
