import { createRequire } from "node:module";
import { createRegistry, type Registry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
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

/**
 * All messages of Envoy's API that were generated, by name, to read and print what is packed in an Any. Made on first
 * use, because it loads every generated file: a control plane that nobody asks for a dump never pays for it.
 */
export function typeRegistry(): Registry {
  if (registry !== undefined) return registry;
  // `require` and not `import`: printing a message must not become asynchronous for the sake of its first time.
  const require = createRequire(import.meta.url);
  const generated = require("@heddle/envoy/gen/registry.js") as typeof import("@heddle/envoy/gen/registry.js");
  registry = createRegistry(...WELL_KNOWN, ...generated.files);
  return registry;
}
