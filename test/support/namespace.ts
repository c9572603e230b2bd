import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const INSIDE = "HEDDLE_TEST_NAMESPACE";
const run = promisify(execFile);

/** What a machine is like that a test has to itself. */
export interface Machine {
  /** Addresses that are its own, such as "10.77.0.1/32". */
  readonly addresses: readonly string[];
  /** Addresses by name, as its /etc/hosts has them. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Rules of the table nat, as arguments of iptables, for IPv4 or IPv6. */
  readonly rules: readonly { readonly family: 4 | 6; readonly rule: string }[];
}

/**
 * Runs the tests of a file in a network of its own, where rules of iptables concern nobody else. The file is run once
 * more inside; all of it is gone when that run ends. Skipped, with the reason, where that cannot be done.
 */
export function inNamespace(file: string, machine: Machine, tests: () => void): void {
  if (process.env[INSIDE] !== undefined) {
    tests();
    return;
  }
  test(`${file.split("/").at(-1)} in a network namespace`, { timeout: 60_000 }, async (t) => {
    const missing = await whatIsMissing();
    if (missing !== undefined) {
      t.skip(missing);
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), "heddle-namespace-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const hosts = Object.entries({ localhost: "127.0.0.1", ...machine.hosts });
    await writeFile(join(folder, "hosts"), hosts.map(([name, address]) => `${address} ${name}\n`).join(""));
    await writeFile(join(folder, "set-up"), setUp(machine, join(folder, "hosts")));
    const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
    const inside = ["sh", "-c", '. "$0" && exec "$@"', join(folder, "set-up"), process.execPath];
    const options = { env: { ...env, [INSIDE]: "1" }, timeout: 55_000, maxBuffer: 16 * 1_048_576 };
    const said = await run(
      "unshare",
      ["--net", "--mount", "--fork", "--kill-child", ...inside, "--test", "--test-reporter=spec", file],
      options,
    ).catch((error: { stdout?: string; stderr?: string; message: string }) => {
      assert.fail(`${error.message}\n${error.stdout ?? ""}\n${error.stderr ?? ""}`);
    });
    assert.match(said.stdout, /tests [1-9]/, "nothing was tested inside");
    t.diagnostic(said.stdout);
  });
}

function setUp({ addresses, rules }: Machine, hosts: string): string {
  return [
    "set -e",
    "ip link set lo up",
    ...addresses.map((address) => `ip address add ${address} dev lo`),
    ...rules.map(({ family, rule }) => `${family === 4 ? "iptables" : "ip6tables"} -t nat ${rule}`),
    `mount --bind ${hosts} /etc/hosts`,
    "",
  ].join("\n");
}

const PACKAGES = { ip: "iproute2", iptables: "iptables", unshare: "util-linux" } as const;

async function whatIsMissing(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces are Linux's own";
  if (process.getuid?.() !== 0) return "only root may make a network namespace";
  const lacking = Object.entries(PACKAGES).flatMap(([command, name]) => (isThere(command) ? [] : [name]));
  if (lacking.length > 0) {
    const failure = await install(lacking);
    if (failure !== undefined) return `needs ${lacking.join(", ")}, which apt-get could not install: ${failure}`;
  }
  const probe = "ip link set lo up && iptables -t nat -A OUTPUT -p tcp -s 10.77.0.9 -j REDIRECT --to-ports 15001";
  return await run("unshare", ["--net", "--mount", "sh", "-c", probe], { timeout: 10_000 }).then(
    () => undefined,
    (error: { stderr?: string; message: string }) =>
      `this machine lets nobody make a network namespace with rules of its own: ${error.stderr ?? error.message}`,
  );
}

function isThere(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// Machines that run tests as root are containers made for that, such as those of continuous integration.
async function install(names: readonly string[]): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { env, timeout: 40_000, maxBuffer: 16 * 1_048_576 };
  const get = ["apt-get", "-o", "DPkg::Lock::Timeout=30"] as const;
  const installing = ["install", "-y", "--no-install-recommends", ...names];
  const command = (rest: readonly string[]) => run(get[0], [...get.slice(1), ...rest], options);
  return await command(["update"])
    .then(() => command(installing))
    .then(
      () => undefined,
      (error: Error) => error.message.split("\n")[0] ?? "",
    );
}
