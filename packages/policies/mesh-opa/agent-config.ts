import { parse } from "yaml";
import { z } from "zod";
import { parseWith } from "@heddle/model/schema.ts";
import type { Parsed } from "@heddle/model/violation.ts";
import { whyTooMuchYaml } from "@heddle/model/yaml-limits.ts";

// OPA's own configuration has much more; what would have no effect here is refused, so that nobody relies on it.
const schema = z.strictObject({
  decision_logs: z.strictObject({ console: z.boolean().optional() }).optional(),
  plugins: z
    .strictObject({
      envoy_ext_authz_grpc: z
        .strictObject({
          path: z
            .string()
            .regex(/^[A-Za-z_][A-Za-z0-9_]*(\/[A-Za-z_][A-Za-z0-9_]*)+$/, {
              error: "must be a rule such as envoy/authz/allow",
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

// Far more than any configuration, and little enough to be read while others wait.
const MOST_CHARACTERS = 65_536;

/** What of OPA's configuration is carried out. */
export interface AgentConfig {
  readonly decisionLog: boolean;
  readonly path: string | undefined;
}

/** Reads OPA's configuration as users write it. */
export function parseAgentConfig(text: string, field: string): Parsed<AgentConfig> {
  const tooMuch = text.length > MOST_CHARACTERS ? "it is longer than 64 KiB" : whyTooMuchYaml(text);
  if (tooMuch !== undefined) return { ok: false, violations: [{ field, message: `is too much to read: ${tooMuch}` }] };
  const raw = parseYaml(text);
  if (raw === undefined) return { ok: false, violations: [{ field, message: "must be YAML" }] };
  const parsed = parseWith(schema, raw ?? {}, [field]);
  if (!parsed.ok) return parsed;
  const { decision_logs: logs, plugins } = parsed.value;
  return {
    ok: true,
    value: { decisionLog: logs?.console ?? false, path: plugins?.envoy_ext_authz_grpc?.path },
  };
}

function parseYaml(text: string): unknown {
  try {
    const value: unknown = parse(text, { logLevel: "error" });
    // A list that holds itself is YAML, and nothing that could be looked through.
    JSON.stringify(value);
    return value;
  } catch {
    return undefined;
  }
}
