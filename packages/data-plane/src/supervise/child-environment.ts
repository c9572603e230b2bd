import { environmentNames } from "../options/resolve-options.ts";
import { DATAPLANE_SETTINGS } from "../options/settings.ts";

/**
 * What Envoy and its supervisor inherit: everything but secrets that were meant for the launcher. Whoever may write a
 * MeshAccessLog could have Envoy log them: `%ENVIRONMENT(KUMA_DATAPLANE_RUNTIME_TOKEN)%`.
 */
export function childEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !SECRETS.has(entry[0])),
  );
}

const SECRETS: ReadonlySet<string> = new Set(
  Object.values(DATAPLANE_SETTINGS).flatMap((setting) =>
    "secret" in setting && setting.secret === true ? environmentNames(setting) : [],
  ),
);
