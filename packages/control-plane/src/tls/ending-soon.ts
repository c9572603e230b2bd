import type { TlsPort } from "./port-settings.ts";
import type { CertificateState } from "./server-tls.ts";

const DAY = 86_400_000;
/** Days before the end at which it is said, once each. */
const WARNINGS = [30, 14, 7, 3, 1, 0] as const;
/** Milliseconds before the end from which on a certificate needs somebody. */
export const EARLIEST_WARNING = WARNINGS[0] * DAY;

/** Warns of certificates that end soon, each time one of the marks is passed. */
export class EndingSoon {
  readonly #warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly #said = new Map<TlsPort, { readonly end: number; readonly mark: number }>();

  constructor(warn: (message: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#warn = warn;
  }

  look(states: readonly CertificateState[], now: Date): void {
    for (const { port, notAfter } of states) {
      const end = notAfter.getTime();
      const mark = WARNINGS.findLast((days) => end - now.getTime() <= days * DAY);
      const said = this.#said.get(port);
      if (mark === undefined || (said?.end === end && said.mark <= mark)) continue;
      this.#said.set(port, { end, mark });
      const state = end <= now.getTime() ? "has ended: nobody connects who verifies it" : "ends soon";
      this.#warn(`the certificate of port "${port}" ${state}; replace its files, no restart is needed`, {
        notAfter: notAfter.toISOString(),
      });
    }
  }
}
