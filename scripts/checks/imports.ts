import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, normalize } from "node:path";
import { packageOf, type SourceFile } from "./source-files.ts";

/** Which of our packages each of them may import. Whatever is not here is an arrow in the wrong direction. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  envoy: ["model"],
  engine: ["model", "envoy"],
  policies: ["model", "envoy", "engine"],
  // Edges: they know neither each other nor any policy, and get what they need as arguments.
  store: ["model"],
  identity: ["model"],
  xds: ["model", "envoy"],
  api: ["model", "envoy"],
  "data-plane": ["model", "envoy"],
  // Those who wire: a control plane, services to try it with, and the one command that starts and talks to everything.
  "control-plane": ["model", "envoy", "engine", "policies", "store", "identity", "xds", "api", "demo"],
  demo: ["model", "data-plane"],
  cli: ["model", "envoy", "identity", "policies", "api", "control-plane", "data-plane", "demo"],
};

/** Tests wire too: an edge is tested with a real store behind it. Only the top of the picture stays out of reach. */
const TOP = ["control-plane", "cli"];

/** How an edge gets by without the import that it lacks. */
export const IMPORT_EXAMPLE =
  "an edge takes what it needs as an argument: serveAds({ subscribe: (proxy) => AsyncIterable<EnvoyResources> })";

/** Imports against the arrows, of packages that are not declared, and of one policy by another. */
export function checkImports(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file.text).flatMap((target) => {
      const problem = target.startsWith(".") ? checkRelative(file.path, target) : checkPackage(file.path, target);
      return problem === undefined ? [] : [`${file.path}: imports "${target}", but ${problem}`];
    }),
  );
}

function importsOf(text: string): readonly string[] {
  const statements = text.matchAll(
    /^(?:import|export)\b[^;"'`]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"$]+)"\)/gm,
  );
  return [...statements].flatMap(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? []);
}

function checkRelative(path: string, target: string): string | undefined {
  const reached = normalize(join(path, "..", target));
  if (packageOf(reached) !== packageOf(path)) return 'another package is imported by name, as "@heddle/model/kri.ts"';
  const [from, to] = [policyOf(path), policyOf(reached)];
  if (from === undefined || to === undefined || from === to) return undefined;
  return `policies do not know each other; what "${from}" and "${to}" share belongs in @heddle/engine`;
}

function policyOf(path: string): string | undefined {
  return /^packages\/policies\/([^/]+)\//.exec(path)?.[1];
}

function checkPackage(path: string, target: string): string | undefined {
  const own = packageOf(path) ?? "";
  const ours = /^@heddle\/([^/]+)/.exec(target)?.[1];
  if (ours !== undefined) {
    return ours === own || mayImport(path, own, ours) ? undefined : `${own} may not import ${ours}`;
  }
  const name = /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
  if (isBuiltin(target) || isDeclared(path, own, name)) return undefined;
  return `packages/${own}/package.json does not name ${name}; run: npm install -w packages/${own} ${name}`;
}

function mayImport(path: string, own: string, target: string): boolean {
  return (ARROWS[own] ?? []).includes(target) || (isTest(path) && !TOP.includes(target));
}

/** All packages stand in one node_modules, so an undeclared one would be found as well, until somebody installs one alone. */
function isDeclared(path: string, own: string, name: string): boolean {
  const manifests = isTest(path) ? [`packages/${own}/package.json`, "package.json"] : [`packages/${own}/package.json`];
  return manifests.some((file) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    return name in dependencies || name in devDependencies;
  });
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || /\/(testkit|contract)\//.test(path);
}
