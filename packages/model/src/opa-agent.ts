/** The socket in a proxy's work directory at which the Open Policy Agent answers. */
export const OPA_SOCKET = "opa.sock";

/** The cluster by which Envoy knows that socket. Its failed health checks call for an agent. */
export const OPA_CLUSTER = "system_meshopa_agent";

/** The context of a question to the agent that holds what it decides by: an `OpaBundle` as JSON. */
export const OPA_CONTEXT = "heddle.opa";

/** What the agent decides by. It comes with every question, so what Envoy's route says is in force at once. */
export interface OpaBundle {
  /** Modules in Rego; those with `decides` have a word in the decision. */
  readonly policies: readonly { readonly rego: string; readonly decides: boolean }[];
  /** The one rule that decides, such as "envoy/authz/allow". Absent: `allow` and `deny` of all packages that decide. */
  readonly path?: string | undefined;
  /** A line is written for each decision. */
  readonly decisionLog: boolean;
}

/** The package that a module in Rego declares. */
export function regoPackage(rego: string): string | undefined {
  const code = rego.replaceAll(/^\s*#.*$/gm, "");
  return /^\s*package\s+([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*(?:#.*)?$/m.exec(code)?.[1];
}
