import type { Violation } from "@heddle/model/violation.ts";
import { CliError, type Explanation } from "../cli-error.ts";
import { record, records, text } from "../json.ts";
import type { Answer, Call } from "./api.ts";

/** The control plane answered, and the answer is no. */
export class RefusedError extends CliError {
  readonly status: number;
  /** The fields that are wrong, when the reason is a document's content. */
  readonly violations: readonly Violation[];

  constructor(message: string, status: number, violations: readonly Violation[], explanation: Explanation) {
    super(message, explanation);
    this.status = status;
    this.violations = violations;
  }
}

/** The error for an answer with a status of 400 or more. Its body is Kuma's: title, detail, invalid_parameters. */
export function explainRefusal(
  address: string,
  { action, conflict }: Pick<Call, "action" | "conflict">,
  answer: Answer,
): RefusedError {
  const body = parseBody(answer.text);
  const violations = violationsOf(body);
  const state = describe(address, answer.status, body);
  return new RefusedError(`Cannot ${action}: ${state}`, answer.status, violations, {
    details: violations.map(violationText),
    next: [
      ...nextSteps(address, answer.status, conflict),
      ...(answer.status === 404 ? whatThereIs(body, violations) : []),
    ],
  });
}

/** One line for a wrong field: `spec.to[0].default: must be set`. */
export function violationText({ field, message }: Violation): string {
  return field === "" ? message : `${field}: ${message}`;
}

/** The wrong fields that an error body, or a document of a plan, lists. */
export function violationsOf(body: Readonly<Record<string, unknown>>): readonly Violation[] {
  const parameters = records(body["invalid_parameters"]).map(({ field, reason }) => ({ field, message: reason }));
  const listed = parameters.length > 0 ? parameters : [...records(body["causes"]), ...records(body["violations"])];
  return listed.map(({ field, message }) => ({ field: text(field) ?? "", message: text(message) ?? "is wrong" }));
}

function describe(address: string, status: number, body: Readonly<Record<string, unknown>>): string {
  const title = text(body["title"]);
  const detail = text(body["detail"]) ?? text(body["details"]);
  const words = [title, detail].filter((each) => each !== undefined).join(": ");
  if (status === 401) return `${address} does not accept the token${words === "" ? "" : ` (${words})`}`;
  if (status === 403) return `${address} does not allow it to this user${words === "" ? "" : ` (${words})`}`;
  if (status === 404 && words === "") return `${address} knows no such path (404)`;
  return words === "" ? `${address} answers with status ${status}` : words;
}

function nextSteps(address: string, status: number, conflict: string | undefined): readonly string[] {
  switch (status) {
    case 401:
    case 403:
      return [
        "Make a token on the control plane's machine: heddle generate user-token --name you --group mesh-system:admin --valid-for 24h",
        `Use it: heddle config control-planes add --name NAME --address ${address} --auth-type tokens --auth-conf token=TOKEN --overwrite`,
      ];
    case 405:
      return [
        "This control plane does not take writes of this kind: apply it at the global control plane, or on Kubernetes with kubectl",
      ];
    case 409:
      return [conflict ?? "Somebody else wrote it in the meantime: look at it with `heddle get`, then apply again"];
    case 413:
      return ["Split the file into smaller documents"];
    case 500:
    case 503:
      return ["Look at the control plane's log, and at its health: port 5680, /ready"];
    default:
      return [];
  }
}

/** `there is no Mesh "x"` is answered with the command that lists the others. */
function whatThereIs(body: Readonly<Record<string, unknown>>, violations: readonly Violation[]): readonly string[] {
  const words = [text(body["detail"]) ?? "", ...violations.map(({ message }) => message)];
  const type = words
    .map((each) => /^there is no ([A-Z][A-Za-z]+) "/.exec(each)?.[1])
    .find((each) => each !== undefined);
  return type === undefined ? [] : [`See which there are: heddle get ${type.toLowerCase()}`];
}

function parseBody(body: string): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(body));
  } catch {
    return { detail: body.trim().slice(0, 500) };
  }
}
