import type { Violation } from "@heddle/model/violation.ts";
import { type Change, changeOf, readValue, SUBJECTS } from "./change.ts";
import { checkJsonPatches } from "./json-patch.ts";
import type { PatchConf } from "./schema.ts";

/** What is wrong with modifications whose every field is right by itself. */
export function checkConf({ appendModifications = [] }: PatchConf, field: string): Violation[] {
  const at = `${field}.appendModifications`;
  if (appendModifications.length === 0) return [{ field: at, message: "must have at least one modification" }];
  const tooMuch = whyTooMuch(appendModifications);
  if (tooMuch !== undefined) return [{ field: at, message: tooMuch }];
  return appendModifications.flatMap((modification, index) => {
    const change = changeOf(modification);
    if (change !== undefined) return checkChange(change, `${at}[${index}].${change.subject}`);
    const message = `must have exactly one of ${Object.keys(SUBJECTS).join(", ")}`;
    return [{ field: `${at}[${index}]`, message }];
  });
}

// Each is read as YAML and as a message of Envoy before anything is stored, while others wait.
const MOST_MODIFICATIONS = 200;
const MOST_CHARACTERS = 65_536;

function whyTooMuch(modifications: NonNullable<PatchConf["appendModifications"]>): string | undefined {
  if (modifications.length > MOST_MODIFICATIONS) return `must have at most ${MOST_MODIFICATIONS} modifications`;
  const characters = modifications.reduce((sum, each) => sum + (changeOf(each)?.value?.length ?? 0), 0);
  return characters > MOST_CHARACTERS ? `must have at most ${MOST_CHARACTERS / 1_024} KiB of values in all` : undefined;
}

function checkChange(change: Change, at: string): Violation[] {
  const { operation } = change;
  return [
    ...checkMatch(change, at),
    ...(operation === "Remove" ? withoutContent(change, at) : []),
    ...(operation === "Patch" ? checkPatch(change, at) : []),
    ...(operation.startsWith("Add") ? checkAdded(change, at) : []),
  ];
}

function checkMatch({ subject, operation, match }: Change, at: string): Violation[] {
  const isFilter = subject === "networkFilter" || subject === "httpFilter";
  if (isFilter && match.name === undefined && ["AddBefore", "AddAfter", "Patch"].includes(operation)) {
    return [{ field: `${at}.match.name`, message: `must be set when operation is ${operation}: it names the filter` }];
  }
  if (operation !== "Add") return [];
  if (subject === "virtualHost") {
    return match.name === undefined
      ? []
      : [{ field: `${at}.match.name`, message: "must not be set when operation is Add: value has the name" }];
  }
  return Object.values(match).every((each) => each === undefined)
    ? []
    : [{ field: `${at}.match`, message: "must not be set when operation is Add: it is added to the proxy" }];
}

function withoutContent({ value, jsonPatches }: Change, at: string): Violation[] {
  return [
    ...(value === undefined ? [] : [{ field: `${at}.value`, message: "must not be set when operation is Remove" }]),
    ...(jsonPatches.length === 0
      ? []
      : [{ field: `${at}.jsonPatches`, message: "must not be set when operation is Remove" }]),
  ];
}

function checkAdded({ subject, operation, value, jsonPatches }: Change, at: string): Violation[] {
  const surplus =
    jsonPatches.length === 0
      ? []
      : [
          {
            field: `${at}.jsonPatches`,
            message: `must not be set when operation is ${operation}; it may be for Patch`,
          },
        ];
  if (value === undefined) {
    return [...surplus, { field: `${at}.value`, message: `must be set when operation is ${operation}` }];
  }
  const parsed = readValue(SUBJECTS[subject], value, `${at}.value`);
  if (!parsed.ok) return [...surplus, ...parsed.violations];
  return parsed.value.name === ""
    ? [...surplus, { field: `${at}.value.name`, message: "must be set: what is added has a name" }]
    : surplus;
}

function checkPatch({ subject, value, jsonPatches }: Change, at: string): Violation[] {
  if ((value === undefined) === (jsonPatches.length === 0)) {
    return [{ field: at, message: "must have either value or jsonPatches when operation is Patch" }];
  }
  const isFilter = subject === "networkFilter" || subject === "httpFilter";
  if (value === undefined) {
    // What they are applied to is the filter's own configuration, whose type only the filter knows.
    return checkJsonPatches(isFilter ? undefined : SUBJECTS[subject], jsonPatches, `${at}.jsonPatches`);
  }
  const parsed = readValue(SUBJECTS[subject], value, `${at}.value`);
  if (!parsed.ok) return [...parsed.violations];
  return isFilter && !("configType" in parsed.value && parsed.value.configType.case === "typedConfig")
    ? [{ field: `${at}.value.typedConfig`, message: "must be set: nothing else of a filter can be patched" }]
    : [];
}
