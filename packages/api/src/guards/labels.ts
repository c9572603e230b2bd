import { LABEL } from "@heddle/model/labels.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { Info, Verdict, WriteGuard } from "../ports.ts";

// Selectors look at every label of every resource, so a resource with thousands of them costs everybody.
const MOST_LABELS = 128;
const RFC_1035 = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Checks what labels mean beyond their syntax. */
export function labelGuard(info: Pick<Info, "mode" | "environment">): WriteGuard {
  return (write): Verdict => {
    if (write.operation === "delete") return {};
    const { labels } = write.resource;
    const violations: Violation[] = [];
    const count = Object.keys(labels).length;
    if (count > MOST_LABELS) {
      violations.push({ field: "labels", message: `must have at most ${MOST_LABELS} labels, not ${count}` });
    }
    const effect = labels[LABEL.effect];
    if (effect !== undefined && effect !== "shadow") {
      violations.push({ field: at(LABEL.effect), message: `must be "shadow" or unset, not "${effect}"` });
    }
    const workload = labels[LABEL.workload];
    if (write.kind.type === "Dataplane" && info.environment === "universal" && workload !== undefined) {
      violations.push(...workloadViolations(workload, info.mode));
    }
    return { violations };
  };
}

function workloadViolations(workload: string, mode: Info["mode"]): Violation[] {
  if (mode === "global") return [{ field: at(LABEL.workload), message: "must not be set at a global control plane" }];
  if (RFC_1035.test(workload)) return [];
  const message = "must start with a letter and hold at most 63 lower-case letters, digits and '-' (RFC 1035)";
  return [{ field: at(LABEL.workload), message }];
}

function at(label: string): string {
  return `labels[${label}]`;
}
