import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { runHere } from "../testkit/run-line.ts";

const OLD = `
type: Mesh
name: default
logging: { defaultBackend: file, backends: [{ name: file, type: file, conf: { path: /tmp/a.log } }] }
---
type: TrafficLog
name: all
sources: [{ match: { kuma.io/service: "*" } }]
destinations: [{ match: { kuma.io/service: "*" } }]
---
type: Timeout
name: slow
mesh: default
sources: [{ match: { kuma.io/service: web } }]
destinations: [{ match: { kuma.io/service: backend } }]
conf: { connectTimeout: 3s }
`;

test("translate prints today's documents, and leaves others as they are", async () => {
  const { code, stdout, stderr } = await runHere(["translate", "-f", "-"], { stdin: OLD });
  assert.equal(code, 0, stderr);
  const documents = [...parseAllDocuments(stdout)].map((each) => each.toJS() as { type: string; spec?: object });
  assert.deepEqual(
    documents.map(({ type }) => type),
    ["Mesh", "MeshAccessLog", "MeshTimeout"],
  );
  const backends = [{ type: "File", file: { path: "/tmp/a.log" } }];
  assert.deepEqual(documents[1]?.spec, { to: [{ targetRef: { kind: "Mesh" }, default: { backends } }] });
});

test("translate names every mistake with its place", async () => {
  const { code, stderr } = await runHere(["translate", "-f", "-"], {
    stdin: OLD.replace("connectTimeout", "connectionTimeout"),
  });
  assert.equal(code, 1);
  assert.match(stderr, /document 3: conf.connectionTimeout: unknown field, did you mean "connectTimeout"\?/);
});
