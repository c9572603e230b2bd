import assert from "node:assert/strict";
import { test } from "node:test";
import { spiffeTemplateViolations, usesWorkload, type SpiffeTemplates } from "./spiffe-template.ts";

const accepted: readonly SpiffeTemplates[] = [
  {},
  { trustDomain: "{{ .Mesh }}.example.com" },
  { path: '/ns/{{ .Namespace }}/app/{{ label "example.com/app" }}' },
  { path: "/team-a/v1.2/{{.Workload}}" },
];

for (const templates of accepted) {
  test(`spiffeTemplateViolations() accepts ${JSON.stringify(templates)}`, () => {
    assert.deepEqual(spiffeTemplateViolations(templates), []);
  });
}

const refused: readonly (readonly [SpiffeTemplates, string])[] = [
  [{ path: "workload/{{ .Workload }}" }, "spiffeID.path"],
  [{ path: "/workload//{{ .Workload }}" }, "spiffeID.path"],
  [{ path: "/workload/../{{ .Workload }}" }, "spiffeID.path"],
  [{ path: "/workload/{{ .Workload }}/" }, "spiffeID.path"],
  [{ path: "/workload/{{ .Workload | lower }}" }, "spiffeID.path"],
  [{ path: "/workload/{{ .Unknown }}" }, "spiffeID.path"],
  [{ path: "/workload/ {{ .Workload }}" }, "spiffeID.path"],
  [{ trustDomain: "Example.com" }, "spiffeID.trustDomain"],
  [{ trustDomain: "spiffe://example.com" }, "spiffeID.trustDomain"],
  [{ trustDomain: "{{ .Mesh }}/{{ .Zone }}" }, "spiffeID.trustDomain"],
];

for (const [templates, field] of refused) {
  test(`spiffeTemplateViolations() refuses ${JSON.stringify(templates)}`, () => {
    assert.deepEqual(
      spiffeTemplateViolations(templates).map((violation) => violation.field),
      [field],
    );
  });
}

test("usesWorkload() sees the workload as a variable, as a label, and in the default", () => {
  assert.ok(usesWorkload({}));
  assert.ok(usesWorkload({ path: "/x/{{ .Workload }}" }));
  assert.ok(usesWorkload({ path: '/x/{{ label "kuma.io/workload" }}' }));
  assert.ok(!usesWorkload({ path: "/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}" }));
});
