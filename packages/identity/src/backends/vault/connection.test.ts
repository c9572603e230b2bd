import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { z } from "zod";
import { lookupOutsideLinkLocal } from "../remote/link-local.ts";
import { connectVault } from "./connection.ts";
import type { VaultSettings } from "./settings.ts";

function settings(address: string): VaultSettings {
  return {
    address,
    namespace: undefined,
    pki: "pki",
    role: "r",
    commonName: undefined,
    tls: { ca: undefined, client: undefined, skipVerify: false, serverName: undefined },
    login: { by: "token", token: "secret" },
    issueTimeout: 1_000,
    chainTimeout: 1_000,
  };
}

const REQUEST = { method: "GET", path: "x", token: "secret", timeoutMillis: 1_000, what: "to try" } as const;

const forbidden = [
  "http://169.254.169.254",
  "http://169.254.170.2:80",
  "http://[fe80::1]",
  "http://[fd00:ec2::254]",
  "http://[::ffff:169.254.169.254]",
  "http://0xa9fea9fe",
  "http://100.100.100.200",
];

for (const address of forbidden) {
  test(`connectVault() asks nothing of ${address}`, async () => {
    const vault = connectVault(settings(address));
    await assert.rejects(vault.text(REQUEST), /link-local or metadata address/);
    vault.close();
  });
}

test("lookupOutsideLinkLocal() gives addresses as they are wanted, and fails for names that are nowhere", async () => {
  const look = (host: string, all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) =>
      lookupOutsideLinkLocal(host, { all, family: 4 }, (error, address) =>
        error === null ? resolve(address) : reject(error),
      ),
    );
  assert.equal(await look("localhost", false), "127.0.0.1");
  assert.deepEqual(await look("localhost", true), [{ address: "127.0.0.1", family: 4 }]);
  await assert.rejects(look("169.254.169.254", false), /link-local/);
  await assert.rejects(look("nowhere.invalid", false));
});

test("connectVault() follows no redirect: nobody else gets the token", async () => {
  const asked: string[] = [];
  await using elsewhere = createServer((_request, response) => {
    asked.push("elsewhere");
    response.end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const to = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  await using vault = createServer((_request, response) => {
    response.writeHead(307, { location: `${to}/v1/x` }).end();
  });
  await new Promise<void>((resolve) => vault.listen(0, "127.0.0.1", resolve));
  const connection = connectVault(settings(`http://127.0.0.1:${(vault.address() as AddressInfo).port}`));
  await assert.rejects(connection.json(REQUEST, z.unknown()), new RegExp(`points to ${to}`));
  assert.deepEqual(asked, []);
  connection.close();
});
