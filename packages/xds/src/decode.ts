import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import type { Node } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import { DeltaDiscoveryRequestSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import type { DeltaRequest } from "./events.ts";

/** Who a client says it is: the part of envoy.config.core.v3.Node that a control plane reads. */
export interface NodeIdentity {
  /** Kuma's proxies use "<mesh>.<name>". */
  readonly id: string;
  readonly cluster: string;
  readonly metadata: JsonObject;
  /** "envoy" for Envoy. */
  readonly userAgent: string;
  /** "1.40.0"; empty when the client does not say. */
  readonly version: string;
}

/** Reads a DeltaDiscoveryRequest; `node` is in the first of a stream. Throws when the bytes are not one. */
export function decodeRequest(message: Uint8Array): { readonly request: DeltaRequest; readonly node?: NodeIdentity } {
  const decoded = fromBinary(DeltaDiscoveryRequestSchema, message);
  const request: DeltaRequest = {
    typeUrl: decoded.typeUrl,
    subscribe: decoded.resourceNamesSubscribe,
    unsubscribe: decoded.resourceNamesUnsubscribe,
    initialVersions: decoded.initialResourceVersions,
    nonce: decoded.responseNonce,
    error: decoded.errorDetail?.message,
  };
  return decoded.node === undefined ? { request } : { request, node: toNodeIdentity(decoded.node) };
}

/** The part of a Node that a control plane reads. */
export function toNodeIdentity({ id, cluster, metadata, userAgentName, userAgentVersionType }: Node): NodeIdentity {
  return {
    id,
    cluster,
    metadata: metadata ?? {},
    userAgent: userAgentName,
    version: versionText(userAgentVersionType),
  };
}

function versionText(version: Node["userAgentVersionType"]): string {
  if (version.case === "userAgentVersion") return version.value;
  const number = version.value?.version;
  return number === undefined ? "" : `${number.majorNumber}.${number.minorNumber}.${number.patch}`;
}
