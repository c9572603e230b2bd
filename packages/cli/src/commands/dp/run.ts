import { runDataplane } from "@heddle/data-plane/run-dataplane.ts";
import { environmentNames, resolveOptions, type Flags } from "@heddle/data-plane/options/resolve-options.ts";
import { DATAPLANE_SETTINGS } from "@heddle/data-plane/options/settings.ts";
import type { Setting } from "@heddle/data-plane/options/setting.ts";
import { UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { addSettings } from "../../setting-options.ts";

/** `heddle dp run`: runs the proxy of a service. Its flags are the data plane's own table. */
export function define(command: CliCommand, cli: Cli): void {
  const readFlags = addSettings(
    command,
    Object.entries<Setting<unknown>>(DATAPLANE_SETTINGS).map(([name, setting]) => ({
      name,
      flag: setting.flag,
      short: setting.short,
      takes: setting.takes,
      repeatable: setting.repeatable === true,
      description: setting.doc,
      defaultText: setting.defaultText ?? (setting.takes === undefined ? undefined : defaultText(setting)),
      env: environmentNames(setting),
    })),
  );
  command.action(async () => {
    // Every value that the parser gives is a text, a list of texts or true.
    const options = resolveOptions(readFlags() as Flags, cli.env);
    if (!options.ok) {
      throw new UsageError("Cannot run the proxy: settings are wrong", {
        details: options.violations.map(({ field, message }) => `${field} ${message}`),
        next: ["heddle dp run --help"],
      });
    }
    process.exitCode = await runDataplane(options.value, { signal: cli.signal, env: cli.env });
  });
  addExamples(command, [
    ["heddle dp run --dataplane-file dp.yaml --dataplane-token-file token", "the proxy of a service on this machine"],
    [
      "heddle dp run --cp-address https://cp.example.com:5678 --ca-cert-file ca.pem -d dp.yaml -v name=web-1 --dataplane-token-file token",
      "with a control plane elsewhere, and {{ name }} filled in",
    ],
    ["heddle dp run -d dp.yaml --dataplane-token-file token --dry-run", "print Envoy's bootstrap and run nothing"],
  ]);
}

function defaultText({ fallback, secret }: Setting<unknown>): string | undefined {
  const isShown = !secret && (typeof fallback === "string" || typeof fallback === "number") && fallback !== "";
  return isShown ? String(fallback) : undefined;
}
