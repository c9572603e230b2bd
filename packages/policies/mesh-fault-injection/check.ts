import { toMillis } from "@heddle/model/duration.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { parseBandwidth } from "./bandwidth.ts";
import type { Fault, FaultsConf } from "./schema.ts";

/** What is wrong with faults whose every field is right by itself. */
export function checkFaults({ http = [] }: FaultsConf, field: string): Violation[] {
  return http.flatMap((fault, index) => checkFault(fault, `${field}.http[${index}]`));
}

function checkFault({ abort, delay, responseBandwidth }: Fault, field: string): Violation[] {
  if (abort === undefined && delay === undefined && responseBandwidth === undefined) {
    return [{ field, message: "must have abort, delay or responseBandwidth" }];
  }
  const violations: Violation[] = [];
  if (delay !== undefined && toMillis(delay.value) === 0) {
    violations.push({ field: `${field}.delay.value`, message: "must be more than zero; leave the delay out for none" });
  }
  if (responseBandwidth !== undefined && parseBandwidth(responseBandwidth.limit) === undefined) {
    violations.push({
      field: `${field}.responseBandwidth.limit`,
      message: `must be a whole number of kbps, Mbps or Gbps, such as "50kbps", not ${JSON.stringify(responseBandwidth.limit)}`,
    });
  }
  return violations;
}
