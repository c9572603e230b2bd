import type { HeaderMatcherSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import type { TextMatch } from "../plan/plan.ts";
import type { Init } from "./common.ts";

/** What a header must look like, in Envoy's form. */
export function headerMatcher(match: TextMatch & { readonly name: string }): Init<typeof HeaderMatcherSchema> {
  const { name } = match;
  switch (match.type) {
    case "Present":
      return { name, headerMatchSpecifier: { case: "presentMatch", value: true } };
    case "Absent":
      return { name, headerMatchSpecifier: { case: "presentMatch", value: false } };
    case "Exact":
    case "Prefix":
    case "RegularExpression":
      return { name, headerMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) } };
  }
}

/** What a text must look like, in Envoy's form. */
export function stringMatcher(match: Extract<TextMatch, { readonly value: string }>): {
  matchPattern: { case: "exact" | "prefix"; value: string } | { case: "safeRegex"; value: { regex: string } };
} {
  if (match.type === "RegularExpression") return { matchPattern: { case: "safeRegex", value: { regex: match.value } } };
  return { matchPattern: { case: match.type === "Exact" ? "exact" : "prefix", value: match.value } };
}
