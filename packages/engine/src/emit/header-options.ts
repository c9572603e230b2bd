import { HeaderValueOption_HeaderAppendAction } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import type { HeaderChange } from "../plan/plan.ts";

/** Headers to set and to add, in Envoy's form. */
export function headerOptions({ set, add }: Pick<HeaderChange, "set" | "add">): {
  header: { key: string; value: string };
  appendAction: HeaderValueOption_HeaderAppendAction;
}[] {
  const { OVERWRITE_IF_EXISTS_OR_ADD, APPEND_IF_EXISTS_OR_ADD } = HeaderValueOption_HeaderAppendAction;
  return [
    ...set.map(({ name, value }) => ({
      header: { key: name, value: escapeHeader(value) },
      appendAction: OVERWRITE_IF_EXISTS_OR_ADD,
    })),
    ...add.map(({ name, value }) => ({
      header: { key: name, value: escapeHeader(value) },
      appendAction: APPEND_IF_EXISTS_OR_ADD,
    })),
  ];
}

// In header values Envoy reads % as the start of a command; users of the API mean the character.
function escapeHeader(value: string): string {
  return value.replaceAll("%", "%%");
}
