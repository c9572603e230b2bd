import { CERTIFICATE_STATES } from "@heddle/api/reports.ts";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Authorities } from "../identity/authorities.ts";
import type { Issuance } from "../identity/certificates.ts";
import type { Meshes } from "../mesh/meshes.ts";
import { certificateFigures } from "./authority-certificate.ts";
import { certificateState, type MeshAuthority, type MeshCertificates, meshCertificates } from "./certificate-facts.ts";

/** What is counted while certificates are issued. */
export interface IssuanceMetrics {
  readonly observe: (issuance: Issuance) => void;
  readonly register: (registry: Registry) => void;
}

/** Counts requests for certificates by authority and outcome: a few time series for each mesh, none for a proxy. */
export function issuanceMetrics(): IssuanceMetrics {
  const issued = new Counter({
    name: "ca_certificate_requests_total",
    help: "Requests for certificates, by what became of them: issued, unavailable (the authority is down) or refused",
    labelNames: ["mesh", "backend", "outcome"],
    registers: [],
  });
  const duration = new Histogram({
    name: "ca_certificate_issue_duration_seconds",
    help: "Time until a certificate was issued, waiting for a turn included",
    labelNames: ["mesh", "backend"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    registers: [],
  });
  return {
    observe: ({ mesh, issuer: backend, outcome, seconds }) => {
      issued.inc({ mesh, backend, outcome });
      if (outcome === "issued") duration.observe({ mesh, backend }, seconds);
    },
    register: (registry) => {
      registry.registerMetric(issued);
      registry.registerMetric(duration);
    },
  };
}

/** Registers how authorities and certificates are; looked at when somebody asks. */
export function registerCertificateMetrics(
  registry: Registry,
  {
    meshes,
    authorities,
    now,
  }: { readonly meshes: Meshes; readonly authorities: Authorities; readonly now: () => Date },
): void {
  const each = (): MeshCertificates[] => [...meshes.all()].map((runtime) => meshCertificates(runtime, authorities));
  certificateGauge(registry, each, now);
  stateGauge(registry, each);
  expiryGauge(registry, each);
}

function certificateGauge(registry: Registry, each: () => readonly MeshCertificates[], now: () => Date): void {
  new Gauge({
    name: "mesh_dataplane_certificates",
    help: "Certificates of connected proxies by state",
    labelNames: ["mesh", "state"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { mesh, certificates } of each()) {
        const states = certificates.filter(({ online }) => online).map((facts) => certificateState(facts, now()));
        for (const state of CERTIFICATE_STATES)
          this.set({ mesh, state }, states.filter((other) => other === state).length);
      }
    },
  });
}

function stateGauge(registry: Registry, each: () => readonly MeshCertificates[]): void {
  new Gauge({
    name: "ca_backend_state",
    help: "1 for the state that a certificate authority is in",
    labelNames: ["mesh", "backend", "type", "state"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { mesh, authorities } of each()) {
        for (const { name: backend, type, state } of authorities) {
          for (const one of ["starting", "ready", "down"])
            this.set({ mesh, backend, type, state: one }, Number(one === state.state));
        }
      }
    },
  });
}

function expiryGauge(registry: Registry, each: () => readonly MeshCertificates[]): void {
  new Gauge({
    name: "ca_expiration_timestamp_seconds",
    help: "When the first root of a certificate authority that signs now ends, and when its issuing certificate does",
    labelNames: ["mesh", "backend", "certificate"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { mesh, authorities } of each()) {
        for (const authority of authorities) {
          const { name: backend, issuer } = authority;
          const root = firstRootEnd(authority);
          if (root !== undefined) this.set({ mesh, backend, certificate: "root" }, root);
          if (issuer !== undefined) this.set({ mesh, backend, certificate: "issuer" }, endOf(issuer));
        }
      }
    },
  });
}

function firstRootEnd({ roots }: MeshAuthority): number | undefined {
  const ends = roots.filter(({ until }) => until === undefined).map(({ pem }) => endOf(pem));
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function endOf(pem: string): number {
  return certificateFigures(pem).notAfter.getTime() / 1_000;
}
