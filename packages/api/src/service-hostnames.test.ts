import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "./testkit/running-api.ts";

test("_hostnames lists the names that generators make for a service", async () => {
  await using api = await startApi();
  const generator = async (name: string, template: string): Promise<void> => {
    const spec = { selector: { meshExternalService: { matchLabels: { team: "blue" } } }, template };
    const reply = await api.call("PUT", `/hostnamegenerators/${name}`, { body: { spec } });
    assert.equal(reply.status, 201, reply.text);
  };
  await generator("one", "{{ .DisplayName }}.one");
  await generator("two", "{{ .DisplayName }}.{{ .Zone }}.two");
  const spec = { match: { port: 80 }, endpoints: [{ address: "a.example", port: 80 }] };
  for (const [name, labels] of [["a", { team: "blue" }] as const, ["b", {}] as const]) {
    const reply = await api.call("PUT", `/meshes/default/meshexternalservices/${name}`, { body: { labels, spec } });
    assert.equal(reply.status, 201, reply.text);
  }
  const zones = [{ name: api.ports.info.zone }];
  const reply = await api.call("GET", "/meshes/default/meshexternalservices/a/_hostnames");
  assert.deepEqual(reply.json(), {
    total: 2,
    items: [
      { hostname: `a.${api.ports.info.zone}.two`, zones },
      { hostname: "a.one", zones },
    ].toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1)),
  });
  const none = await api.call("GET", "/meshes/default/meshexternalservices/b/_hostnames");
  assert.deepEqual(none.json(), { total: 0, items: [] });
  assert.equal((await api.call("GET", "/meshes/default/meshservices/missing/_hostnames")).status, 404);
});
