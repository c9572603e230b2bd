import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const mesh = `
type: Mesh
name: default
---
type: Dataplane
name: web-1
networking:
  address: 127.0.0.2
  outbound:
    - { port: 10001, backendRef: { kind: MeshService, name: database, port: 5432 } }
    - { port: 10002, backendRef: { kind: MeshService, name: replica, port: 5432 } }
---
type: MeshService
name: database
spec: { ports: [{ port: 5432, appProtocol: tcp }] }
---
type: MeshService
name: replica
spec: { ports: [{ port: 5432, appProtocol: tcp }] }
---
type: MeshTCPRoute
name: routes
spec:
  to:
    - targetRef: { kind: MeshService, name: database }
      rules:
        - default:
            backendRefs:
              - { kind: MeshService, name: database, port: 5432, weight: 60 }
              - { kind: MeshService, name: replica, port: 5432, weight: 20 }
              - { kind: MeshService, name: nowhere, port: 5432, weight: 20 }
    - targetRef: { kind: MeshService, name: replica }
      rules: [{ default: { backendRefs: [{ kind: MeshService, name: nowhere, port: 5432 }] } }]
`;

test("meshTcpRoute shares connections out by weight and closes those that lead nowhere", async (t) => {
  const ports = await runEnvoy(t, compileYaml(mesh, policies), {
    endpoints: {
      kri_msvc_default___database_5432: await startDatabase(t, "database"),
      kri_msvc_default___replica_5432: await startDatabase(t, "replica"),
    },
  });
  await t.test("by weight", async () => {
    const counts: Record<string, number> = { database: 0, replica: 0, "": 0 };
    for (let count = 0; count < 300; count++) {
      const from = await received(ports.get("kri_msvc_default___database_5432:10001"));
      counts[from] = (counts[from] ?? 0) + 1;
    }
    // 180, 60 and 60 are expected; what is allowed is five standard deviations, once in some hundred thousand runs.
    const { database = 0, replica = 0, "": nowhere = 0 } = counts;
    assert.equal(database + replica + nowhere, 300);
    assert.ok(database > 137 && database < 223, `${database} of 300 went to the database`);
    assert.ok(replica > 25 && replica < 95, `${replica} of 300 went to the replica`);
    assert.ok(nowhere > 25 && nowhere < 95, `${nowhere} of 300 were closed`);
  });
  await t.test("nowhere", async () => {
    assert.equal(await received(ports.get("kri_msvc_default___replica_5432:10002")), "");
  });
});

/** A server that says its name. */
async function startDatabase(t: TestContext, name: string): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => undefined).end(name)).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as { readonly port: number }).port;
}

/** What comes over a connection before it is closed. */
async function received(port: number | undefined): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: port ?? 0 });
  let text = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => resolve()).on("close", () => resolve());
  await promise;
  return text;
}
