import { toMillis } from "@heddle/model/duration.ts";
import { regoPackage } from "@heddle/model/opa-agent.ts";
import { checkSource, meaningOf, type SecureDataSource } from "@heddle/model/secure-data-source.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { parseAgentConfig } from "./agent-config.ts";
import type { AppendedPolicy, OpaConf } from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf(conf: OpaConf, field: string): Violation[] {
  const { agentConfig, appendPolicies = [], authConfig } = conf;
  if (Object.keys(conf).length === 0) return [{ field, message: "must say something: appendPolicies, at least" }];
  return [
    ...(agentConfig === undefined ? [] : checkAgentConfig(agentConfig, `${field}.agentConfig`)),
    ...appendPolicies.flatMap((each, index) => checkModule(each, `${field}.appendPolicies[${index}]`)),
    ...checkSize(appendPolicies, `${field}.appendPolicies`),
    ...(authConfig?.timeout === undefined || toMillis(authConfig.timeout) > 0
      ? []
      : [{ field: `${field}.authConfig.timeout`, message: "must be more than zero: a request would wait forever" }]),
  ];
}

function checkAgentConfig(source: SecureDataSource, field: string): readonly Violation[] {
  const wrong = checkText(source, field);
  if (wrong.length > 0) return wrong;
  const parsed = parseAgentConfig(textOf(source), field);
  return parsed.ok ? [] : parsed.violations;
}

function checkModule({ rego }: AppendedPolicy, at: string): readonly Violation[] {
  const field = `${at}.rego`;
  const wrong = checkText(rego, field);
  if (wrong.length > 0) return wrong;
  const name = regoPackage(textOf(rego));
  if (name === undefined) return [{ field, message: 'must declare its package, such as "package envoy.authz"' }];
  return name === "heddle_decision"
    ? [{ field, message: "must not be in package heddle_decision, which decides" }]
    : [];
}

// Proxies get what they decide by in their routes, where nobody looks after secrets.
function checkText(source: SecureDataSource, field: string): readonly Violation[] {
  const wrong = checkSource(source, field);
  if (wrong.length > 0) return wrong;
  if (meaningOf(source).from === "text") return [];
  return [{ field, message: "must be written in the policy (insecureInline): Secrets are not delivered to agents" }];
}

// All of it comes with every question.
const MOST = 65_536;

function checkSize(policies: readonly AppendedPolicy[], field: string): Violation[] {
  const size = policies.reduce((sum, { rego }) => sum + Buffer.byteLength(textOf(rego)), 0);
  return size <= MOST ? [] : [{ field, message: `must be at most ${MOST} bytes together, not ${size}` }];
}

/** The text of a source; nothing for a Secret. */
export function textOf(source: SecureDataSource): string {
  const meaning = meaningOf(source);
  return meaning.from === "text" ? meaning.text : "";
}
