export type Labels = Readonly<Record<string, string>>;

/** Label and tag names that Kuma gives a meaning to. https://kuma.io/docs/latest/reference/kubernetes-annotations/ */
export const LABEL = {
  mesh: "kuma.io/mesh",
  displayName: "kuma.io/display-name",
  origin: "kuma.io/origin",
  zone: "kuma.io/zone",
  environment: "kuma.io/env",
  namespace: "k8s.kuma.io/namespace",
  policyRole: "kuma.io/policy-role",
  effect: "kuma.io/effect",
  /** Heddle's own: "disabled" sends a policy to all proxies at once and never takes it back. */
  hold: "heddle.io/hold",
  managedBy: "kuma.io/managed-by",
  workload: "kuma.io/workload",
  service: "kuma.io/service",
  protocol: "kuma.io/protocol",
  serviceAccount: "k8s.kuma.io/service-account",
} as const;

/** Whether every selected label is there with the selected value; "*" means the label is there with any value. */
export function matchesLabels(selector: Labels, labels: Labels): boolean {
  for (const key in selector) {
    const value = labels[key];
    if (value === undefined || (selector[key] !== "*" && selector[key] !== value)) return false;
  }
  return true;
}

/** The name a user gave: differs from the stored name for resources that came from another zone. */
export function displayName(resource: { readonly name: string; readonly labels: Labels }): string {
  return resource.labels[LABEL.displayName] ?? resource.name;
}
