import type { Setting } from "@heddle/control-plane/config/setting.ts";
import { SETTINGS } from "@heddle/control-plane/config/settings.ts";
import { DATAPLANE_SETTINGS } from "@heddle/data-plane/options/settings.ts";
import type { GeneratedFile } from "./generated-files.ts";

/** A row as both tables have it. */
interface Row {
  readonly flag: string;
  readonly variables: readonly string[];
  readonly fallback: string;
  readonly meaning: string;
}

/** docs/guide/settings.md: everything `heddle cp run`, `heddle up` and `heddle dp run` can be told. */
export function settingsPage(): GeneratedFile {
  const content = `<!-- Written by \`npm run generate\` from the tables in packages/control-plane/src/config/settings.ts and packages/data-plane/src/options/settings.ts. -->

# Settings

Each variable is written with \`HEDDLE_\` before it; with \`KUMA_\` it means the same, and \`HEDDLE_\` wins. A flag wins over a
variable, a variable over the file, the file over the default.

## Control plane: heddle cp run, heddle up

In the file of \`--config-file\` (YAML) a setting is written by its path: \`apiServer: { http: { port: 6681 } }\`. Fields that
Heddle does not know are named in the log and have no effect, so Kuma's files can be read.

| path | flag | variable | default | meaning |
| --- | --- | --- | --- | --- |
${Object.values<Setting>(SETTINGS as never)
  .map((setting) => `| \`${setting.path}\` ${cells(controlPlaneRow(setting))}`)
  .join("\n")}

## Proxy: heddle dp run

| flag | variable | default | meaning |
| --- | --- | --- | --- |
${Object.values(DATAPLANE_SETTINGS)
  .map((setting) => cells(proxyRow(setting)))
  .join("\n")}
`;
  return { path: "docs/guide/settings.md", content };
}

function controlPlaneRow(setting: Setting): Row {
  return {
    flag: setting.flag ?? "",
    variables: setting.variables,
    fallback: fallbackText(setting),
    meaning: setting.description,
  };
}

function fallbackText({ path, default: fallback, parse }: Setting): string {
  if (path === "general.instanceName") return "the machine's name";
  if (fallback === undefined) return "";
  if (Array.isArray(fallback)) return fallback.join(", ");
  // Only durations take a unit; they are held in milliseconds.
  if (typeof fallback === "number" && parse("1s", "").ok) return `${fallback / 1_000}s`;
  return typeof fallback === "string" ? fallback : JSON.stringify(fallback);
}

interface ProxySetting {
  readonly flag?: string;
  readonly env?: string;
  readonly doc: string;
  readonly fallback?: string | number | boolean | object | undefined;
  readonly defaultText?: string;
}

function proxyRow({ flag = "", env, doc, fallback, defaultText }: ProxySetting): Row {
  // A default of several values is always none of them.
  const known = defaultText ?? (fallback === undefined || typeof fallback === "object" ? "" : String(fallback));
  return { flag, variables: env === undefined ? [] : [env], fallback: known, meaning: doc };
}

function cells({ flag, variables, fallback, meaning }: Row): string {
  const code = (text: string): string => (text === "" ? "" : `\`${text}\``);
  const cell = (text: string): string => text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
  return `| ${code(flag)} | ${variables.map(code).join(", ")} | ${cell(fallback)} | ${cell(meaning)} |`.replaceAll(
    "|  |",
    "| |",
  );
}
