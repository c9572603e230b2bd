import { Gauge, type Registry } from "prom-client";
import type { ServerTls } from "./server-tls.ts";

/** Registers when the certificates of the ports end, and whether what lies in their files could be used. */
export function registerServerCertificateMetrics(registry: Registry, { states }: Pick<ServerTls, "states">): void {
  new Gauge({
    name: "server_certificate_expiration_timestamp_seconds",
    help: "When the certificate that a port of this control plane shows ends",
    labelNames: ["port"],
    registers: [registry],
    collect() {
      for (const { port, notAfter } of states()) this.set({ port }, notAfter.getTime() / 1_000);
    },
  });
  new Gauge({
    name: "server_certificate_problem",
    help: "1 while the files of a port's certificate cannot be used and an earlier one is shown",
    labelNames: ["port"],
    registers: [registry],
    collect() {
      for (const { port, problem } of states()) this.set({ port }, problem === undefined ? 0 : 1);
    },
  });
}
