import type { CollectorConf } from "@heddle/model/collector-schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { hostAndPort, httpUrl } from "./collector.ts";

/** What is wrong with how a policy names its collector. */
export function checkCollector({ endpoint, backendRef }: CollectorConf, field: string): Violation[] {
  const one = (endpoint === undefined) !== (backendRef === undefined);
  return [
    ...(one ? [] : [{ field, message: "must have backendRef, or endpoint as in Kuma 2.x" }]),
    ...checkEndpoint(endpoint, `${field}.endpoint`),
    ...checkReference(backendRef, `${field}.backendRef`),
  ];
}

function checkEndpoint(endpoint: string | undefined, field: string): Violation[] {
  if (endpoint === undefined || hostAndPort(endpoint) !== undefined || httpUrl(endpoint) !== undefined) return [];
  const message =
    'must be host:port of a collector that speaks gRPC, such as "otel.example.com:4317", or a URL for HTTP';
  return [{ field, message }];
}

function checkReference(reference: CollectorConf["backendRef"], field: string): Violation[] {
  if (reference === undefined || (reference.name === undefined) !== (reference.labels === undefined)) return [];
  return [{ field, message: "must have name or labels" }];
}
