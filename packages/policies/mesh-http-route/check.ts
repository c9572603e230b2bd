import { checkBackendRef } from "@heddle/model/backend-ref.ts";
import { whyNotRe2 } from "@heddle/model/regular-expression.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { checkFilters } from "./check-filters.ts";
import type { RequestMatch, RouteItem, RouteRule } from "./schema.ts";

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What is wrong with the routes towards one destination, though every field is right by itself. */
export function checkRoutes(item: RouteItem, field: string, top: TargetRef): Violation[] {
  const forGateway = top.kind === "MeshGateway";
  const hostnames = (item.hostnames?.length ?? 0) > 0 && !forGateway;
  return [
    ...(hostnames
      ? [
          {
            field: `${field}.hostnames`,
            message: "must not be set: only routes of a MeshGateway tell host names apart",
          },
        ]
      : []),
    ...item.rules.flatMap((rule, index) => checkRule(rule, `${field}.rules[${index}]`, forGateway)),
  ];
}

function checkRule({ matches, default: conf }: RouteRule, field: string, forGateway: boolean): Violation[] {
  const replaceable = matches.every(({ path }) => path?.type === "PathPrefix");
  return [
    ...matches.flatMap((match, index) => checkRequestMatch(match, `${field}.matches[${index}]`)),
    ...checkFilters(conf.filters ?? [], `${field}.default.filters`, { replaceable, forGateway }),
    ...(conf.backendRefs ?? []).flatMap((ref, index) => checkBackendRef(ref, `${field}.default.backendRefs[${index}]`)),
  ];
}

function checkRequestMatch({ path, headers = [], queryParams = [] }: RequestMatch, field: string): Violation[] {
  return [
    ...(path === undefined ? [] : checkPath(path, `${field}.path.value`)),
    ...headers.flatMap((header, index) => checkHeader(header, `${field}.headers[${index}]`)),
    ...queryParams.flatMap(({ type, value }, index) =>
      type === "RegularExpression" ? checkPattern(value, `${field}.queryParams[${index}].value`) : [],
    ),
    ...checkUnique(
      queryParams.map(({ name }) => name),
      `${field}.queryParams`,
    ),
  ];
}

function checkPath({ type, value }: NonNullable<RequestMatch["path"]>, field: string): Violation[] {
  if (type === "RegularExpression") return checkPattern(value, field);
  if (!value.startsWith("/")) return [{ field, message: `must start with "/", as every path does` }];
  return /[?#]/.test(value)
    ? [{ field, message: 'must be a path without "?" and "#"; queryParams match the rest' }]
    : [];
}

function checkHeader({ type = "Exact", name, value }: NonNullable<RequestMatch["headers"]>[number], field: string) {
  const violations: Violation[] = [];
  if (!HEADER_NAME.test(name)) violations.push({ field: `${field}.name`, message: "must be a header's name" });
  const needsValue = type !== "Present" && type !== "Absent";
  if (needsValue && value === undefined)
    violations.push({ field: `${field}.value`, message: `must be set with ${type}` });
  if (!needsValue && value !== undefined) {
    violations.push({ field: `${field}.value`, message: `must not be set with ${type}` });
  }
  if (type === "RegularExpression" && value !== undefined) violations.push(...checkPattern(value, `${field}.value`));
  return violations;
}

function checkUnique(names: readonly string[], field: string): readonly Violation[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    const message = `must be unique: ${field.split(".").at(-1)}[${first}] has it`;
    return first === index ? [] : [{ field: `${field}[${index}].name`, message }];
  });
}

function checkPattern(pattern: string, field: string): Violation[] {
  const message = whyNotRe2(pattern);
  return message === undefined ? [] : [{ field, message }];
}
