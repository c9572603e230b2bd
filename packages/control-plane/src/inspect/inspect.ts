import type { Inspect, ProxyKey } from "@heddle/api/ports.ts";
import { type MeshCertificates, meshCertificates } from "../certificates/certificate-facts.ts";
import { authoritiesReport, certificatesReport } from "../certificates/reports.ts";
import { accessReport } from "./access-report.ts";
import { configReport } from "./config-report.ts";
import { liveEnvoy } from "../envoy-admin/live-envoy.ts";
import { layoutReport } from "./layout-report.ts";
import { matchedDataplanes } from "./matched-dataplanes.ts";
import type { InspectOptions } from "./options.ts";
import { planChanges } from "./plan-changes.ts";
import { inboundPolicies, outboundPolicies, outboundRoutes, proxyPolicies, routePolicies } from "./policies-report.ts";
import { rollout } from "./rollout.ts";
import { rulesReport } from "./rules-report.ts";
import { caughtUp, type Subject, subjectOf } from "./subject.ts";

/** Answers every question about proxies from what they are served with: the same snapshots, the same compilation. */
export function createInspect(options: InspectOptions): Inspect {
  const about = async <Answer>(
    key: ProxyKey,
    answer: (subject: Subject) => Answer | Promise<Answer>,
  ): Promise<Answer | undefined> => {
    const subject = await subjectOf(options, key);
    return subject === undefined ? undefined : await answer(subject);
  };
  const certificatesIn = (mesh: string): MeshCertificates | undefined => {
    const runtime = options.meshes.get(mesh);
    return runtime && meshCertificates(runtime, options.authorities);
  };
  return {
    rules: (key) => about(key, (subject) => rulesReport(subject, options.kinds)),
    config: (key, wanted) => about(key, (subject) => configReport(options, subject, wanted)),
    layout: (key) => about(key, ({ compiled }) => layoutReport(compiled)),
    policies: (key) => about(key, ({ compiled }) => proxyPolicies(compiled)),
    inboundPolicies: (key, inbound) => about(key, ({ compiled }) => inboundPolicies(compiled, inbound)),
    outboundPolicies: (key, outbound) => about(key, ({ compiled }) => outboundPolicies(compiled, outbound)),
    routes: (key, outbound) => about(key, ({ compiled }) => outboundRoutes(compiled, outbound)),
    routePolicies: (key, outbound, route) => about(key, ({ compiled }) => routePolicies(compiled, outbound, route)),
    access: (key, from) => about(key, (subject) => accessReport(options, subject, from)),
    certificates: (mesh) => {
      const found = certificatesIn(mesh);
      return found && certificatesReport(found, options.now());
    },
    authorities: (mesh) => {
      const found = certificatesIn(mesh);
      return found && authoritiesReport(found, options.now(), options.availabilityTarget);
    },
    plan: (changes) => planChanges(options, changes),
    liveEnvoy: liveEnvoy(options),
    rollout: (revision, since, signal) => rollout(options, revision, since, signal),
    matchedDataplanes: async (policy) => {
      await caughtUp(options);
      const runtime = options.meshes.get(policy.mesh);
      return runtime === undefined ? [] : matchedDataplanes(runtime.snapshot, policy);
    },
  };
}
