import type { Rejection } from "@heddle/model/kinds/dataplane-insight.ts";
import type { PolicyFailure } from "@heddle/model/policy-failure.ts";
import type { Refusal } from "@heddle/model/roll-out-status.ts";

/**
 * Whether Envoy refused because of the machine it runs on: a port that somebody else has says nothing about a policy.
 * The words are Envoy's (source/common/listener_manager and network/socket code).
 */
export function isFaultOfMachine(detail: string): boolean {
  return /cannot bind|address already in use|permission denied|cannot assign requested address/i.test(detail);
}

/** What a proxy refused, in the form in which a policy's status tells of it. */
export function refusalsOf({ name }: { readonly name: string }, rejection: Rejection): readonly Refusal[] {
  const { typeUrl, resources, origins = [] } = rejection;
  const detail = inOneLine(rejection.detail);
  const field = refusedField(detail);
  const modifications = origins.filter((kri) => kri.includes("_modification-"));
  return resources.map((resource) => ({
    dataplane: name,
    typeUrl,
    resource,
    ...(field === undefined ? {} : { field }),
    detail,
    ...(modifications.length === 0 ? {} : { modifications }),
  }));
}

// Messages are printed with line breaks, and with a mark that says that their form may change. https://goo.gle/debugproto
function inOneLine(detail: string): string {
  return detail
    .replaceAll(/goo\.gle\/debug\w+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** A policy that cannot be applied to a proxy, as if its Envoy had refused the resource in question. */
export function rejectionOf({ typeUrl, resource, message, origins }: PolicyFailure): Rejection {
  return { typeUrl, resources: [resource], detail: message, origins: [...origins], time: new Date().toISOString() };
}

/**
 * The path of the field that Envoy's validation names, outermost first: "(ClusterValidationError.ConnectTimeout: ...".
 * Undefined when it does not name one. https://github.com/bufbuild/protoc-gen-validate
 */
export function refusedField(detail: string): string | undefined {
  const fields = [...detail.matchAll(/\w+ValidationError\.([\w[\]".-]+?):/g)].map(([, field]) => field);
  return fields.length === 0 ? undefined : fields.join(".");
}
