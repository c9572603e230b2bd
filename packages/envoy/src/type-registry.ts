import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createFileRegistry, createRegistry, type DescMessage, fromBinary, type Registry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** google.protobuf.* is not among the generated files, and may stand in an Any like every other message. */
const WELL_KNOWN = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

let registry: Registry | undefined;
let whole: Registry | undefined;

/**
 * All messages of Envoy's API, by name, to read and print what is packed in an Any: those that were generated, and for a
 * name that is not among them the whole API. Made on first use, because it loads every generated file: a control plane
 * that nobody asks for a dump never pays for it.
 */
export function typeRegistry(): Registry {
  if (registry !== undefined) return registry;
  // `require` and not `import`: printing a message must not become asynchronous for the sake of its first time.
  const require = createRequire(import.meta.url);
  const generated = require("@heddle/envoy/gen/registry.js") as typeof import("@heddle/envoy/gen/registry.js");
  const known = createRegistry(...WELL_KNOWN, ...generated.files);
  const getMessage = (typeName: string): DescMessage | undefined =>
    known.getMessage(typeName) ?? (OF_ENVOY.test(typeName) ? wholeApi().getMessage(typeName) : undefined);
  registry = { ...known, getMessage };
  return registry;
}

const OF_ENVOY = /^(envoy|xds|udpa|google|opentelemetry|opencensus|cel)\./;

/** Names of all messages of Envoy's API. */
export function messageNames(): readonly string[] {
  return [...wholeApi()].flatMap(({ kind, typeName }) => (kind === "message" ? [typeName] : []));
}

/**
 * All messages of Envoy's API, from their descriptors: what only users name is not worth code. Read on first use, in
 * about 0.1 s, a fraction of what loading all generated files takes.
 */
export function wholeApi(): Registry {
  if (whole !== undefined) return whole;
  const file = new URL(import.meta.resolve("@heddle/envoy/gen/whole-api.binpb"));
  whole = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  return whole;
}
