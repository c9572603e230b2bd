import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringOpenBao } from "../../scripts/setup/test-tools.mjs";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

const ROOT_TOKEN = "root";

/** A real OpenBao with a PKI engine, which is what Vault is to a mesh. */
export interface OpenBao {
  readonly address: string;
  /** The same over TLS, when it was given a certificate. */
  readonly tlsAddress: string;
  readonly rootToken: string;
  /** One call of Vault's API as its administrator; throws when it is refused. */
  call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<Answer>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** A token that may issue for the mesh and look at itself, and nothing else. */
  token(options: { readonly ttl: string; readonly renewable?: boolean; readonly namespace?: string }): Promise<string>;
  /** Makes a namespace with the same in it as outside: mount, role, policy, a root of its own. */
  namespace(name: string): Promise<void>;
  /** Gives the engine a new root, which signs from now on; tells its certificate. */
  newRoot(): Promise<string>;
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly auth?: { readonly client_token: string };
}

/** Starts one that ends with the test: mount "pki-default", role "dataplanes", policy "mesh", a first root. */
export async function startOpenBao(t: Ending, shown?: ServerPair): Promise<OpenBao> {
  const bao = await bringOpenBao();
  const tls = shown === undefined ? undefined : await tlsListener(t, shown);
  // It listens on the next port as well.
  const [port = 0] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const flags = [`-dev-root-token-id=${ROOT_TOKEN}`, `-dev-listen-address=127.0.0.1:${port}`, "-dev-no-store-token"];
  const child = spawn(bao, ["server", "-dev", ...flags, ...(tls?.flags ?? [])], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  t.after(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
    return promise;
  });
  await eventually(() => {
    assert.equal(child.exitCode, null, `OpenBao ended:\n${output}`);
    assert.match(output, /Root Token:/, `OpenBao is not ready:\n${output}`);
  }, 30_000);
  const unsealKey = /Unseal Key: (\S+)/.exec(output)?.[1] ?? "";
  const server = serverAt(address, { unsealKey, tlsAddress: tls?.address ?? "" });
  await prepare(server);
  return server;
}

/** The certificate that a server shows, and its key, PEM. */
interface ServerPair {
  readonly cert: string;
  readonly key: string;
}

/** One more port, with TLS; callers may show a certificate. */
async function tlsListener(
  t: Ending,
  { cert, key }: ServerPair,
): Promise<{ readonly address: string; readonly flags: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-openbao-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const file = (name: string): string => join(folder, name);
  await Promise.all([writeFile(file("tls.crt"), cert), writeFile(file("tls.key"), key)]);
  const listener = { address: `127.0.0.1:${port}`, tls_cert_file: file("tls.crt"), tls_key_file: file("tls.key") };
  await writeFile(file("listener.json"), JSON.stringify({ listener: [{ tcp: listener }] }));
  return { address: `https://127.0.0.1:${port}`, flags: [`-config=${file("listener.json")}`] };
}

function serverAt(address: string, known: { readonly unsealKey: string; readonly tlsAddress: string }): OpenBao {
  const call: OpenBao["call"] = async (method, path, body) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { "x-vault-token": ROOT_TOKEN },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Answer);
  };
  return {
    address,
    tlsAddress: known.tlsAddress,
    rootToken: ROOT_TOKEN,
    call,
    seal: async () => void (await call("PUT", "sys/seal")),
    unseal: async () => void (await call("PUT", "sys/unseal", { key: known.unsealKey })),
    token: async ({ ttl, renewable = true, namespace }) => {
      const create = `${namespace === undefined ? "" : `${namespace}/`}auth/token/create`;
      const { auth } = await call("POST", create, { ttl, renewable, policies: ["mesh"] });
      return auth?.client_token ?? "";
    },
    namespace: async (name) => {
      await call("POST", `sys/namespaces/${name}`, {});
      await prepare({ call: (method, path, body) => call(method, `${name}/${path}`, body) });
    },
    newRoot: async () => {
      const { data } = await call("POST", "pki-default/root/rotate/internal", ROOT);
      await call("POST", "pki-default/config/issuers", { default: data?.["issuer_id"] });
      return String(data?.["certificate"]);
    },
  };
}

const ROOT = { common_name: "default", uri_sans: "spiffe://default", ttl: "700h", key_type: "ec", key_bits: 256 };
// Kong Mesh's documentation gives the control plane no more than this.
const POLICY = 'path "pki-default/issue/dataplanes" { capabilities = ["create", "update"] }';

async function prepare(server: Pick<OpenBao, "call">): Promise<void> {
  const call = (...asked: Parameters<OpenBao["call"]>): Promise<Answer> => server.call(...asked);
  await call("POST", "sys/mounts/pki-default", { type: "pki" });
  await call("POST", "pki-default/root/generate/internal", ROOT);
  await call("POST", "pki-default/roles/dataplanes", {
    allowed_uri_sans: "spiffe://default/*,kuma://*",
    require_cn: false,
    allowed_domains: "mesh",
    allow_subdomains: true,
    client_flag: true,
    server_flag: true,
    key_type: "ec",
    key_bits: 256,
    max_ttl: "720h",
  });
  await call("PUT", "sys/policies/acl/mesh", { policy: POLICY });
}
