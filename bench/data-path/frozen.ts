import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type JsonObject, list, object, rewrite, string } from "./json.ts";
import type { Identity } from "./minimal.ts";

/** What an Envoy runs with, as its admin interface tells it: private keys are left out there. */
export async function configDump(adminSocket: string): Promise<JsonObject> {
  const call = request({ socketPath: adminSocket, path: "/config_dump?include_eds" }).end();
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  return JSON.parse(await text(answer)) as JsonObject;
}

/**
 * The same configuration as one file: what came from a control plane stands in it, and nobody is asked for anything. The
 * certificate and the authority are those of `own`, under the names that the configuration uses.
 */
export function frozen(dump: JsonObject, own: Identity): JsonObject {
  const { node, dynamic_resources: _, ...bootstrap } = object(section(dump, "Bootstrap")["bootstrap"]);
  const listeners = list(section(dump, "Listeners")["dynamic_listeners"]).filter(({ name }) => name !== INSPECTION);
  const clusters = list(section(dump, "Clusters")["dynamic_active_clusters"]);
  const secrets = list(section(dump, "Secrets")["dynamic_active_secrets"]);
  const resources = {
    listeners: listeners.map((each) => withoutType(object(object(each["active_state"])["listener"]))),
    clusters: clusters.map((each) => withoutType(object(each["cluster"]))),
  };
  return {
    ...bootstrap,
    node: { id: object(node)["id"] ?? "", cluster: object(node)["cluster"] ?? "" },
    static_resources: {
      ...object(rewrite(resources, (each) => withWhatItNames(dump, each))),
      secrets: secrets.flatMap(({ name }) => secret(string(name), own)),
    },
  };
}

// The way in for control planes: its key is not told, and no application's request takes it.
const INSPECTION = "system_envoy_admin";

/** Routes, endpoints and secrets that something asks the control plane for are put in place, or taken from this file. */
function withWhatItNames(dump: JsonObject, each: JsonObject): JsonObject {
  const { rds, eds_cluster_config, sds_config: _, ...rest } = each;
  if (rds !== undefined) {
    const routes = list(section(dump, "Routes")["dynamic_route_configs"]).map(({ route_config }) =>
      object(route_config),
    );
    return { ...rest, route_config: named(routes, "name", object(rds)["route_config_name"]) };
  }
  if (eds_cluster_config === undefined) return rest;
  const endpoints = list(section(dump, "Endpoints")["dynamic_endpoint_configs"]).map(({ endpoint_config }) =>
    object(endpoint_config),
  );
  return { ...rest, type: "STATIC", load_assignment: named(endpoints, "cluster_name", each["name"]) };
}

function named(resources: readonly JsonObject[], key: string, name: JsonObject[string] | undefined): JsonObject {
  const found = resources.find((each) => each[key] === name);
  if (found === undefined) throw new Error(`Cannot freeze a sidecar: it has nothing called ${JSON.stringify(name)}`);
  return object(rewrite(withoutType(found), withoutZeroWeight));
}

// Envoy prints it, and refuses it.
function withoutZeroWeight(each: JsonObject): JsonObject {
  const { load_balancing_weight: weight, ...rest } = each;
  return weight === 0 ? rest : each;
}

function secret(name: string, { certificatePem, keyPem, caPem }: Identity): readonly JsonObject[] {
  const inline = (pem: string): JsonObject => ({ inline_string: pem });
  if (name.startsWith("system_mtls_identity"))
    return [{ name, tls_certificate: { certificate_chain: inline(certificatePem), private_key: inline(keyPem) } }];
  if (name.startsWith("system_mtls_ca")) return [{ name, validation_context: { trusted_ca: inline(caPem) } }];
  return [];
}

function section(dump: JsonObject, name: string): JsonObject {
  return list(dump["configs"]).find((each) => string(each["@type"]).endsWith(`.${name}ConfigDump`)) ?? {};
}

function withoutType({ "@type": _, ...rest }: JsonObject): JsonObject {
  return rest;
}
