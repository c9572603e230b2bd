import type { RouteMatch } from "@heddle/engine/plan/plan.ts";

/**
 * Orders matches so that the one that says most is tried first, as the Gateway API does: exact paths, longer prefixes,
 * regular expressions, then a method, more headers, more query parameters. Equal ones stay in the order they are in.
 */
export function bySpecificity(a: RouteMatch, b: RouteMatch): number {
  return (
    pathRank(a) - pathRank(b) ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    b.headers.length - a.headers.length ||
    b.queryParams.length - a.queryParams.length
  );
}

const EXACT = -1e6;
const REGULAR_EXPRESSION = 0;
const ANY_PATH = 1;

// The prefix "/" says nothing about the path. Ranked as a prefix it would hide every regular expression.
function pathRank({ path }: RouteMatch): number {
  switch (path?.type) {
    case undefined:
      return ANY_PATH;
    case "Exact":
      return EXACT;
    case "RegularExpression":
      return REGULAR_EXPRESSION;
    case "PathPrefix":
      return path.value === "/" ? ANY_PATH : -path.value.length;
  }
}
