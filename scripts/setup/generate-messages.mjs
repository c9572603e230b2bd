import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { ROOT } from "./places.mjs";
import { SetupError } from "./setup-error.mjs";

/** @typedef {{ readonly name: string, readonly content: string }} GeneratedFile */

/**
 * Generates protobuf-es messages for all files of a descriptor set, and a list of them for registries of types.
 * @param {Uint8Array} descriptorSet a google.protobuf.FileDescriptorSet
 * @param {AbortSignal} signal
 * @returns {Promise<readonly GeneratedFile[]>} names are relative to the folder of generated files
 */
export async function generateMessages(descriptorSet, signal) {
  const response = fromBinary(CodeGeneratorResponseSchema, await runPlugin(requestFor(descriptorSet), signal));
  if (response.error !== "")
    throw new SetupError(`Cannot generate Envoy's messages: ${response.error}`, "See protos.txt.");
  const files = response.file.map(({ name, content }) => ({ name, content }));
  return [...files, ...registryFiles(files)];
}

/**
 * What protoc would send to a plugin. protoc itself is not needed, because the descriptors come compiled.
 * @param {Uint8Array} descriptorSet
 */
function requestFor(descriptorSet) {
  const { file } = fromBinary(FileDescriptorSetSchema, descriptorSet);
  const request = create(CodeGeneratorRequestSchema, {
    parameter: "target=js+dts,import_extension=js",
    protoFile: file,
    // @bufbuild/protobuf brings google.protobuf.* itself.
    fileToGenerate: file.map(({ name }) => name).filter((name) => !name.startsWith("google/protobuf/")),
  });
  return toBinary(CodeGeneratorRequestSchema, request);
}

/**
 * @param {Uint8Array} request
 * @param {AbortSignal} signal
 * @returns {Promise<Uint8Array>}
 */
async function runPlugin(request, signal) {
  const plugin = join(ROOT, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es");
  const child = spawn(process.execPath, [plugin], { signal, stdio: "pipe" });
  // A plugin that dies early closes its input; what it said about it is on stderr, and that is what is reported.
  child.stdin.on("error", () => {});
  child.stdin.end(request);
  const [response, complaint, [code]] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (code === 0) return response;
  throw new SetupError(
    `Cannot generate Envoy's messages: ${complaint.trim().split("\n")[0]}`,
    "Delete node_modules and try again.",
  );
}

/**
 * One module that names every generated file, so that nothing has to walk the disk at run time.
 * @param {readonly GeneratedFile[]} files
 * @returns {readonly GeneratedFile[]}
 */
function registryFiles(files) {
  const modules = files.flatMap(({ name, content }) => {
    const constant = /^export const (file_\w+) =/m.exec(content)?.[1];
    return constant === undefined ? [] : [{ name, constant }];
  });
  const sorted = modules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const imports = sorted.map(({ name, constant }) => `import { ${constant} } from "./${name}";\n`);
  const types =
    'import type { DescFile } from "@bufbuild/protobuf";\nexport declare const files: readonly DescFile[];\n';
  return [
    {
      name: "registry.js",
      content: `${imports.join("")}export const files = [${sorted.map(({ constant }) => constant).join(", ")}];\n`,
    },
    { name: "registry.d.ts", content: types },
  ];
}
