import { constants } from "node:os";

/** Why Envoy ended, from its status as a shell gives it: above 128 it is a signal's number plus 128. */
export function explainExit(status: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  switch (signal) {
    case undefined:
      return status === 1
        ? "it could not start, its reason stands in the lines above"
        : `it ended with exit code ${status}`;
    case "SIGKILL":
      return "it was killed (SIGKILL), by hand or by the kernel for want of memory";
    case "SIGSEGV":
    case "SIGBUS":
    case "SIGILL":
    case "SIGFPE":
    case "SIGABRT":
      return `it crashed (${signal}), which is a fault in Envoy: keep the lines above`;
    default:
      return `it ended by ${signal}`;
  }
}
