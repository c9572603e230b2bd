import type { ServerCertificatesReport } from "@heddle/api/reports.ts";
import { EARLIEST_WARNING } from "./ending-soon.ts";
import type { CertificateState } from "./server-tls.ts";

/** How the certificates of the ports are, with what will go wrong unless somebody acts. */
export function serverCertificatesReport(states: readonly CertificateState[], now: Date): ServerCertificatesReport {
  return {
    warnings: states.flatMap((state) => warningsOf(state, now)),
    items: states.map(({ port, notAfter, problem }) => ({
      port,
      expiresAt: notAfter.toISOString(),
      ...(problem === undefined ? {} : { problem }),
    })),
  };
}

function warningsOf({ port, notAfter, problem }: CertificateState, now: Date): readonly string[] {
  const left = notAfter.getTime() - now.getTime();
  const ends = `${left <= 0 ? "ended" : "ends"} at ${notAfter.toISOString()}; replace its files, no restart is needed`;
  return [
    ...(problem === undefined ? [] : [`what is in the files of port "${port}" is not in use: ${problem}`]),
    ...(left > EARLIEST_WARNING ? [] : [`the certificate of port "${port}" ${ends}`]),
  ];
}
