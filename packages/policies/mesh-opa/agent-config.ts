import { z } from "zod";
import { parseWith } from "@heddle/model/schema.ts";
import { readShortYaml } from "@heddle/model/short-yaml.ts";
import type { Parsed } from "@heddle/model/violation.ts";

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

/** What of OPA's configuration is carried out. */
export interface AgentConfig {
  readonly decisionLog: boolean;
  readonly path: string | undefined;
}

/** Reads OPA's configuration as users write it. */
export function parseAgentConfig(text: string, field: string): Parsed<AgentConfig> {
  const read = readShortYaml(text);
  if (!read.ok) return { ok: false, violations: [{ field, message: `cannot be read as YAML: ${read.reason}` }] };
  const parsed = parseWith(schema, read.value ?? {}, [field]);
  if (!parsed.ok) return parsed;
  const { decision_logs: logs, plugins } = parsed.value;
  return {
    ok: true,
    value: { decisionLog: logs?.console ?? false, path: plugins?.envoy_ext_authz_grpc?.path },
  };
}
