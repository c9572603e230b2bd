import { settings } from "@heddle/control-plane/config.ts";
import type { SettingFlag } from "./setting-options.ts";

/** The settings of a control plane as flags: `heddle cp run` and `heddle up` have the same. */
export function controlPlaneFlags(): readonly SettingFlag[] {
  return settings.map(({ name, flag, env, description, default: fallback, secret }) => ({
    name,
    flag,
    takes: "<value>",
    description,
    defaultText: secret || fallback === "" || Array.isArray(fallback) ? undefined : String(fallback),
    env,
  }));
}
