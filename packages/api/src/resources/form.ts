import type { Kind } from "@heddle/model/kind.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { invalid } from "../http/api-error.ts";
import type { QueryParameter } from "../http/route.ts";
import { kubernetesForm } from "./kubernetes-form.ts";
import { presentResource } from "./present.ts";

export const FORM_PARAMETERS: readonly QueryParameter[] = [
  { name: "format", description: "universal (default), or kubernetes (k8s) for the object that it is on Kubernetes" },
  { name: "namespace", description: "Namespace to put into the Kubernetes form" },
];

/** A resource in the form that the query asks for. Throws ApiError 400 for a form that does not exist. */
export function inForm(kind: Kind, resource: Resource, query: URLSearchParams): Record<string, unknown> {
  const format = query.get("format") ?? "universal";
  switch (format) {
    case "universal":
      return presentResource(kind, resource);
    case "k8s":
    case "kubernetes":
      return kubernetesForm(kind, resource, query.get("namespace") ?? undefined);
    default:
      throw invalid(
        [{ field: "format", message: `must be universal or kubernetes, not "${format}"` }],
        "Invalid format",
      );
  }
}
