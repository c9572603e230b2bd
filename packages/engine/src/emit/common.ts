import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { AddressSchema } from "@heddle/envoy/gen/envoy/config/core/v3/address_pb.js";
import { ApiVersion, type ConfigSourceSchema } from "@heddle/envoy/gen/envoy/config/core/v3/config_source_pb.js";
import type { Protocol } from "@heddle/model/kinds/dataplane.ts";

/** The fields of a message that is yet to be built: unlike a built one, they can be spread into each other. */
export type Init<Schema extends DescMessage> = Extract<MessageInitShape<Schema>, { readonly $typeName?: never }>;

/** Everything dynamic comes over the one aggregated stream. */
export const FROM_ADS = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
} as const satisfies Init<typeof ConfigSourceSchema>;

/** An IP address and TCP port in Envoy's form. */
export function socketAddress(address: string, port: number): Init<typeof AddressSchema> {
  return {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  };
}

/** Whether Envoy reads requests on this protocol, or only moves bytes. */
export function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}

/** The fields that have a value: what nobody set must be absent from a message. */
export function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
