import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { listeningInodes, portOwner } from "./port-owner.ts";

test("listeningInodes() takes listening sockets of that port only", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1`;
  assert.deepEqual(listeningInodes(table, 8_080), ["111"]);
});

test("portOwner() names the process that holds a port, and nobody for a free one", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal((await portOwner(port))?.pid, process.pid);
  server.close();
  await once(server, "close");
  assert.equal(await portOwner(port), undefined);
});
