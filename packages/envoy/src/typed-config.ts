import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "@heddle/envoy/gen/envoy/config/core/v3/extension_pb.js";
import { any } from "./any.ts";

/** The `configType` of filters, transport sockets, access logs and their like: which extension, and its settings. */
export function typedConfig<Schema extends DescMessage>(
  schema: Schema,
  init: MessageInitShape<Schema>,
): { readonly case: "typedConfig"; readonly value: Any } {
  return { case: "typedConfig", value: any(schema, init) };
}

/** An extension where Envoy asks for a name and a packed message. Envoy finds the extension by the message's type. */
export function typedExtension<Schema extends DescMessage>(
  name: string,
  schema: Schema,
  init: MessageInitShape<Schema>,
): TypedExtensionConfig {
  return create(TypedExtensionConfigSchema, { name, typedConfig: any(schema, init) });
}
