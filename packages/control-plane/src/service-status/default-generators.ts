import type { Place } from "@heddle/api/resources/owned-labels.ts";
import type { HostnameGeneratorSpec } from "@heddle/model/kinds/hostname-generator.ts";
import { LABEL } from "@heddle/model/labels.ts";

const HERE = { [LABEL.origin]: "zone" };
// What another zone made looks as if the global control plane had.
const SYNCED = { [LABEL.origin]: "global" };
const HEADLESS = "k8s.kuma.io/is-headless-service";
const KUBERNETES = { ...SYNCED, [LABEL.environment]: "kubernetes" };

/** The HostnameGenerators that Kuma makes at the first start, by name: those of a zone, or those of a global control plane. */
export function defaultGenerators({ mode, environment }: Place): Readonly<Record<string, HostnameGeneratorSpec>> {
  if (mode === "global") return GLOBAL;
  return environment === "universal" ? { ...ZONE, ...UNIVERSAL } : ZONE;
}

const ZONE: Readonly<Record<string, HostnameGeneratorSpec>> = {
  "local-mesh-external-service": {
    selector: { meshExternalService: { matchLabels: HERE } },
    template: "{{ .DisplayName }}.extsvc.mesh.local",
  },
};

// On Kubernetes a service keeps the name that it has there.
const UNIVERSAL: Readonly<Record<string, HostnameGeneratorSpec>> = {
  "local-universal-mesh-service": {
    selector: { meshService: { matchLabels: HERE } },
    template: "{{ .DisplayName }}.svc.mesh.local",
  },
};

const GLOBAL: Readonly<Record<string, HostnameGeneratorSpec>> = {
  "synced-kube-mesh-service": {
    selector: { meshService: { matchLabels: { ...KUBERNETES, [HEADLESS]: "false" } } },
    template: "{{ .DisplayName }}.{{ .Namespace }}.svc.{{ .Zone }}.mesh.local",
  },
  "synced-headless-kube-mesh-service": {
    selector: { meshService: { matchLabels: { ...KUBERNETES, [HEADLESS]: "true" } } },
    template:
      '{{ label "statefulset.kubernetes.io/pod-name" }}.{{ label "k8s.kuma.io/service-name" }}.{{ .Namespace }}.svc.{{ .Zone }}.mesh.local',
  },
  "synced-universal-mesh-service": {
    selector: { meshService: { matchLabels: { ...SYNCED, [LABEL.environment]: "universal" } } },
    template: "{{ .DisplayName }}.svc.{{ .Zone }}.mesh.local",
  },
  "synced-mesh-external-service": {
    selector: { meshExternalService: { matchLabels: SYNCED } },
    template: "{{ .DisplayName }}.extsvc.mesh.local",
  },
  "synced-mesh-multi-zone-service": {
    selector: { meshMultiZoneService: { matchLabels: SYNCED } },
    template: "{{ .DisplayName }}.mzsvc.mesh.local",
  },
};
