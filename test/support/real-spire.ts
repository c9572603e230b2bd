import { execFile, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Agent } from "./sds-agent.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

const run = promisify(execFile);

/** A SPIRE server and an agent on loopback, of the binaries in a folder. Workloads are known by their user. */
export async function startSpire(t: Ending, bin: string, folder: string, domain: string): Promise<Agent> {
  const [port = 0] = await freePorts(1);
  const [admin, socket] = [join(folder, "server.sock"), join(folder, "agent.sock")];
  await mkdir(join(folder, "server"));
  await mkdir(join(folder, "agent"));
  await writeFile(join(folder, "server.conf"), serverConf(folder, admin, port, domain));
  await writeFile(join(folder, "agent.conf"), agentConf(folder, socket, port, domain));
  const server = (...args: readonly string[]) => run(join(bin, "spire-server"), [...args, "-socketPath", admin]);
  start(t, join(bin, "spire-server"), ["run", "-config", join(folder, "server.conf")]);
  await eventually(() => server("healthcheck"), 20_000);
  const node = `spiffe://${domain}/node`;
  const { stdout } = await server("token", "generate", "-spiffeID", node);
  const token = /Token: (\S+)/.exec(stdout)?.[1] ?? "";
  start(t, join(bin, "spire-agent"), ["run", "-config", join(folder, "agent.conf"), "-joinToken", token]);
  await eventually(() => run(join(bin, "spire-agent"), ["healthcheck", "-socketPath", socket]), 20_000);
  return {
    socket,
    grant: async (id) => {
      const selector = `unix:uid:${process.getuid?.()}`;
      await server("entry", "create", "-parentID", node, "-spiffeID", id, "-selector", selector);
    },
  };
}

function start(t: Ending, path: string, args: readonly string[]): void {
  const child = spawn(path, [...args], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
}

function serverConf(folder: string, admin: string, port: number, domain: string): string {
  return `
server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${admin}"
  trust_domain = "${domain}"
  data_dir = "${folder}/server"
  log_level = "ERROR"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "${folder}/server/data.sqlite3" } }
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
}
`;
}

function agentConf(folder: string, socket: string, port: number, domain: string): string {
  return `
agent {
  server_address = "127.0.0.1"
  server_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "${domain}"
  data_dir = "${folder}/agent"
  insecure_bootstrap = true
  log_level = "ERROR"
}
plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`;
}
