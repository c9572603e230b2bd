import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { issuanceMetrics } from "./metrics.ts";

test("issuanceMetrics() counts what became of requests by mesh and authority, and how long those took that succeeded", async () => {
  const registry = new Registry();
  const { observe, register } = issuanceMetrics();
  register(registry);
  const of = { mesh: "m", issuer: "vault-1" };
  observe({ ...of, outcome: "issued", seconds: 0.2 });
  observe({ ...of, outcome: "issued", seconds: 0.02 });
  observe({ ...of, outcome: "unavailable", seconds: 5 });
  observe({ ...of, issuer: "ca-1", outcome: "refused", seconds: 0.1 });
  const lines = (await registry.metrics()).split("\n");
  const figure = (start: string): string | undefined =>
    lines
      .find((line) => line.startsWith(start))
      ?.split(" ")
      .at(-1);
  const total = 'ca_certificate_requests_total{mesh="m",backend=';
  assert.equal(figure(`${total}"vault-1",outcome="issued"}`), "2");
  assert.equal(figure(`${total}"vault-1",outcome="unavailable"}`), "1");
  assert.equal(figure(`${total}"ca-1",outcome="refused"}`), "1");
  const duration = "ca_certificate_issue_duration_seconds";
  assert.equal(figure(`${duration}_count{mesh="m",backend="vault-1"}`), "2");
  assert.equal(figure(`${duration}_bucket{le="0.1",mesh="m",backend="vault-1"}`), "1");
  assert.equal(figure(`${duration}_count{mesh="m",backend="ca-1"}`), undefined);
});
