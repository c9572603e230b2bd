import type { Parsed, Violation } from "@heddle/model/violation.ts";
import { DATAPLANE_SETTINGS, type DataplaneOptions, type SettingName } from "./settings.ts";
import type { Setting } from "./setting.ts";

/** What a command line parser found: by flag in camel case; absent where the flag was not given. */
export type Flags = Readonly<Partial<Record<SettingName, string | boolean | readonly string[]>>>;

/** Puts flags over `HEDDLE_*` over `KUMA_*` over defaults. Every mistake is named by its flag or variable. */
export function resolveOptions(flags: Flags, env: NodeJS.ProcessEnv = {}): Parsed<DataplaneOptions> {
  const violations: Violation[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(DATAPLANE_SETTINGS) as SettingName[]) {
    const setting: Setting<unknown> = DATAPLANE_SETTINGS[name] as Setting<unknown>;
    const parsed = readSetting(setting, flags[name], env);
    if (parsed.ok) values[name] = parsed.value;
    else violations.push(...parsed.violations);
  }
  // Each value came from its own setting's parser or fallback, which is what DataplaneOptions is made of.
  return violations.length > 0 ? { ok: false, violations } : { ok: true, value: values as unknown as DataplaneOptions };
}

/** The variables that set it, the one that wins first. */
export function environmentNames(setting: { readonly env?: string }): readonly string[] {
  return setting.env === undefined ? [] : [`HEDDLE_${setting.env}`, `KUMA_${setting.env}`];
}

function readSetting(
  setting: Setting<unknown>,
  flag: string | boolean | readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Parsed<unknown> {
  if (flag !== undefined) return setting.parse(textsOf(flag), setting.flag ?? "");
  const name = environmentNames(setting).find((each) => env[each] !== undefined && env[each] !== "");
  const value = name === undefined ? undefined : env[name];
  if (name === undefined || value === undefined) return { ok: true, value: setting.fallback };
  return setting.parse(setting.repeatable ? value.split(",") : [value], name);
}

function textsOf(flag: string | boolean | readonly string[]): readonly string[] {
  return typeof flag === "object" ? flag : [String(flag)];
}
