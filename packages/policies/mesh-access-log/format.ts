import { nearest } from "@heddle/model/schema.ts";
import { ENVOY_OPERATORS, KUMA_OPERATORS, type KumaOperator } from "./operators.ts";

/** What the control plane knows and Envoy does not, by the operator that stands for it. */
export type KumaValues = Readonly<Record<KumaOperator, string>>;

// How Envoy reads an operator: %NAME%, %NAME(parameters)%, %NAME:10% or %NAME(parameters):10%. %% is the sign itself.
const OPERATOR = /%%|%([A-Z0-9_]+)(?:\(([^\r\n]*?)\))?(?::(\d{1,9}))?%/y;

/** What is wrong with a format; undefined: nothing. Envoy would refuse the whole listener for it. */
export function whyNotFormat(format: string): string | undefined {
  for (let at = format.indexOf("%"); at !== -1; at = format.indexOf("%", at)) {
    OPERATOR.lastIndex = at;
    const found = OPERATOR.exec(format);
    if (found === null) return malformed(format, at);
    const [whole, name, parameters, length] = found;
    const reason = name === undefined ? undefined : whyNotOperator(name, parameters, length);
    if (reason !== undefined) return `${whole} at character ${at + 1}: ${reason}`;
    at = OPERATOR.lastIndex;
  }
  return undefined;
}

/** Puts values in place of Kuma's operators; Envoy's stay. */
export function withKumaValues(format: string, values: KumaValues): string {
  return format.replaceAll(/%%|%(KUMA_[A-Z_]+)%/g, (whole, name: string | undefined) =>
    name !== undefined && isKuma(name) ? values[name].replaceAll("%", "%%") : whole,
  );
}

function malformed(format: string, at: number): string {
  const near = format.slice(at, at + 24);
  const [, word = ""] = /^%([A-Za-z0-9_]+)/.exec(near) ?? [];
  const meant = nearest(word, NAMES);
  const hint = meant === undefined ? "a percent sign is written as %%" : `did you mean "%${meant}%"?`;
  return `no command operator at character ${at + 1}, at ${JSON.stringify(near)}: ${hint}`;
}

function whyNotOperator(name: string, parameters: string | undefined, length: string | undefined): string | undefined {
  if (isKuma(name)) {
    return parameters === undefined && length === undefined ? undefined : "takes nothing beside its name";
  }
  const operator = Object.hasOwn(ENVOY_OPERATORS, name) ? ENVOY_OPERATORS[name] : undefined;
  if (operator === undefined) return unknown(name);
  if (operator.parameters === "required" && !parameters) return `needs something in parentheses: %${name}(...)%`;
  if (operator.parameters === "none" && parameters) return `takes nothing in parentheses: %${name}%`;
  if (!operator.length && length !== undefined) return "takes no length";
  return parameters === undefined ? undefined : operator.check?.(parameters);
}

function unknown(name: string): string {
  const meant = nearest(name, NAMES);
  return meant === undefined ? "unknown command operator" : `unknown command operator, did you mean "${meant}"?`;
}

function isKuma(name: string): name is KumaOperator {
  return (KUMA_OPERATORS as readonly string[]).includes(name);
}

const NAMES = [...KUMA_OPERATORS, ...Object.keys(ENVOY_OPERATORS)];
