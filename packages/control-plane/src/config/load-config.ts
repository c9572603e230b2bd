import type { Parsed, Violation } from "@heddle/model/violation.ts";
import { unknownField } from "@heddle/model/schema.ts";
import { whyTooMuchYaml } from "@heddle/model/yaml-limits.ts";
import { parseDocument } from "yaml";
import type { Setting } from "./setting.ts";
import { type Config, SETTINGS } from "./settings.ts";

/** Where settings come from, the strongest last. */
export interface Sources {
  /** Text of the configuration file, YAML or JSON. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By flag without the dashes ("api-http-port") or by camel case name ("apiHttpPort"). */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** The table for help texts: every setting with the names it goes by. */
export const settings = Object.entries<Setting>(SETTINGS as never).map(([name, setting]) => ({
  name,
  path: setting.path,
  ...(setting.flag === undefined ? {} : { flag: setting.flag }),
  env: environmentNames(setting),
  description: setting.description,
  default: setting.default,
  secret: setting.secret ?? false,
}));

/** Puts flags over the environment over the file over the defaults. Gives every mistake, each by its own name. */
export function loadConfig({ file, env, flags }: Sources): Parsed<Config> {
  const document = readFile(file);
  if (!document.ok) return document;
  const violations: Violation[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS as never)) {
    const parsed = readSetting(name, setting, { document: document.value, env, flags });
    if (parsed.ok) values[name] = parsed.value;
    else violations.push(...parsed.violations);
  }
  // Every value came from the parser or the default of its own setting, which is what Config is made of.
  return violations.length > 0 ? { ok: false, violations } : { ok: true, value: values as unknown as Config };
}

/** Settings in a file that mean nothing here. Kuma has hundreds more, so its files are read and this is said. */
export function ignoredSettings(file: string | undefined): readonly Violation[] {
  const document = readFile(file);
  return document.ok ? unknownPaths(document.value, "") : [];
}

/** The configuration as a nested object by path, with secrets masked: what `GET /config` shows. */
export function describeConfig(config: Config): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS as never)) {
    const value = config[name as keyof Config];
    place(
      root,
      setting.path.split("."),
      setting.secret && value !== "" && value !== undefined ? "***" : (value ?? null),
    );
  }
  return root;
}

/** Takes secret settings out of an environment, so that no program started from here inherits them. */
export function forgetSecrets(env: Record<string, string | undefined>): void {
  for (const setting of Object.values<Setting>(SETTINGS as never)) {
    if (setting.secret) for (const name of environmentNames(setting)) delete env[name];
  }
}

interface Given {
  readonly document: Tree;
  readonly env: Sources["env"];
  readonly flags: Sources["flags"];
}
type Tree = Readonly<Record<string, unknown>>;

function readSetting(name: string, setting: Setting, given: Given): Parsed<unknown> {
  const parsed = readGiven(name, setting, given);
  if (parsed.ok || !setting.secret) return parsed;
  // What was written there is a secret, or part of one.
  const violations = parsed.violations.map(({ field, message }) => ({
    field,
    message: message.replace(/, not .*$/s, ""),
  }));
  return { ok: false, violations };
}

function readGiven(name: string, setting: Setting, { document, env, flags }: Given): Parsed<unknown> {
  const flag = flags[name] ?? (setting.flag === undefined ? undefined : flags[setting.flag.slice(2)]);
  if (flag !== undefined) return setting.parse(typeof flag === "number" ? String(flag) : flag, setting.flag ?? name);
  const variable = environmentNames(setting).find((each) => env[each] !== undefined && env[each] !== "");
  if (variable !== undefined) return setting.parse(env[variable], variable);
  const written = setting.path.split(".").reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), document);
  return written === undefined || written === null
    ? { ok: true, value: setting.default }
    : setting.parse(written, setting.path);
}

function environmentNames({ variables }: Setting): readonly string[] {
  return [...variables.map((name) => `HEDDLE_${name}`), ...variables.map((name) => `KUMA_${name}`)];
}

function readFile(file: string | undefined): Parsed<Tree> {
  if (file === undefined || file.trim() === "") return { ok: true, value: {} };
  const tooMuch = whyTooMuchYaml(file);
  if (tooMuch !== undefined) return refuseFile(tooMuch);
  try {
    const document = parseDocument(file, { logLevel: "error" });
    const [error] = document.errors;
    if (error !== undefined) return refuseFile(error.message);
    const value: unknown = document.toJS();
    return isTree(value) ? { ok: true, value } : refuseFile("must be an object of settings");
  } catch (cause) {
    // Such as an alias of what does not exist, or aliases that unfold without end.
    return refuseFile(cause instanceof Error ? cause.message : String(cause));
  }
}

function refuseFile(message: string): Parsed<never> {
  return { ok: false, violations: [{ field: "configuration file", message }] };
}

function unknownPaths(tree: Tree, prefix: string): Violation[] {
  const paths = settings.map(({ path }) => path);
  return Object.entries(tree).flatMap(([key, value]): Violation[] => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (paths.includes(path)) return [];
    if (paths.some((known) => known.startsWith(`${path}.`))) return isTree(value) ? unknownPaths(value, path) : [];
    const siblings = [
      ...new Set(
        paths
          .filter((known) => prefix === "" || known.startsWith(`${prefix}.`))
          .map((known) => known.slice(prefix === "" ? 0 : prefix.length + 1).split(".")[0] ?? ""),
      ),
    ];
    return [{ field: path, message: unknownField(key, siblings) }];
  });
}

function place(root: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    root[key] = value;
    return;
  }
  const child = (root[key] ??= {}) as Record<string, unknown>;
  place(child, rest, value);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
