import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { idOf, ObjectMemo, TextMemo } from "@heddle/engine/memo.ts";
import type { Patched, ResourceFacts, Resources } from "@heddle/engine/plan/plan.ts";
import type { FactsOf } from "@heddle/engine/policy.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { ResourceSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import { EDITORS, valueOf } from "./edit.ts";
import { addedBy, kriOfStep, OWN, reaches, type Step } from "./steps.ts";

/**
 * Does one step after the other on all resources. Those that no step concerns stay the objects that they are, and what
 * was made of the others is remembered with them: proxies that share a resource share what becomes of it.
 */
export function patchResources(steps: readonly Step[], resources: Resources, factsOf: FactsOf): Patched {
  const origins = new Map<EncodedResource, readonly string[]>();
  const result = new Map(resources);
  const put = ({ resource, touched }: Outcome, instead?: EncodedResource): void => {
    const { typeUrl, name } = resource ?? instead ?? UNNAMED;
    const byName =
      result.get(typeUrl) === resources.get(typeUrl) ? new Map(resources.get(typeUrl)) : result.get(typeUrl);
    const writable = byName as Map<string, EncodedResource>;
    if (resource === undefined) writable.delete(name);
    else writable.set(name, resource);
    result.set(typeUrl, writable);
    if (resource !== undefined) origins.set(resource, touched.flatMap(krisOf));
  };
  for (const typeUrl of EDITORS.keys()) {
    for (const resource of resources.get(typeUrl)?.values() ?? []) {
      const outcome = continued(resource, factsOf(resource) ?? OWN, steps);
      if (outcome.resource !== resource) put(outcome, resource);
    }
  }
  for (const [index, step] of steps.entries()) {
    const added = addedResource(step);
    if (added !== undefined) put(withCause(continued(added, OWN, steps.slice(index + 1)), step), added);
  }
  return { resources: result, origins };
}

const UNNAMED = { typeUrl: "", name: "" };

function krisOf(step: Step): readonly string[] {
  return [step.policy?.kri ?? "", kriOfStep(step)].filter((kri) => kri !== "");
}

/** What became of a resource, and the steps that had a part in it. */
interface Outcome {
  /** Undefined: removed. */
  readonly resource: EncodedResource | undefined;
  readonly touched: readonly Step[];
}

function withCause({ resource, touched }: Outcome, step: Step): Outcome {
  return { resource, touched: [step, ...touched] };
}

function continued(resource: EncodedResource, facts: ResourceFacts, steps: readonly Step[]): Outcome {
  const reaching = steps.filter(({ change }) => reaches(change, resource, facts));
  if (reaching.length === 0) return { resource, touched: [] };
  const known = outcomes.get(resource, "", () => new TextMemo(MOST_OUTCOMES));
  const key = `${reaching.map(idOf).join()} ${facts.aliases.join()}`;
  return known.get(key, () => edited(resource, facts, reaching));
}

// A resource may outlive many versions of the policies that change it.
const MOST_OUTCOMES = 8;
const outcomes = new ObjectMemo<EncodedResource, TextMemo>();

function edited(resource: EncodedResource, { aliases }: ResourceFacts, steps: readonly Step[]): Outcome {
  const editor = EDITORS.get(resource.typeUrl);
  if (editor === undefined) return { resource, touched: [] };
  let message = decode(editor.schema, resource);
  const touched: Step[] = [];
  for (const step of steps) {
    const result = orExplain(step, resource, () => editor.edit(message, step.change, aliases));
    if (result === undefined) continue;
    touched.push(step);
    if (result === "removed") return { resource: undefined, touched };
    message = result;
    orExplain(step, resource, () => assertNamed(message, resource.name));
  }
  if (touched.length === 0) return { resource, touched };
  const encoded = encodeResource(editor.schema, resource.name, message);
  return { resource: encoded.version === resource.version ? resource : encoded, touched };
}

function decode(schema: DescMessage, { bytes, name }: EncodedResource): MessageShape<DescMessage> {
  const { resource } = fromBinary(ResourceSchema, bytes);
  if (resource === undefined) throw new Error(`Cannot patch "${name}": it is empty`);
  return fromBinary(schema, resource.value);
}

// Others know it by its name: Envoy would get one that nobody refers to.
function assertNamed(message: MessageShape<DescMessage>, name: string): void {
  const now = (message as { readonly name?: unknown }).name;
  if (now !== name) throw new Error(`it must keep its name; it would become "${String(now)}"`);
}

function addedResource(step: Step): EncodedResource | undefined {
  const schema = addedBy(step);
  const value = schema && orExplain(step, undefined, () => valueOf(schema, step.change));
  if (schema === undefined || value === undefined) return undefined;
  const { name } = value as unknown as { readonly name: string };
  return addedResources.get(step, "", () => encodeResource(schema, name, value));
}

// The same object each time, so that later steps on it are remembered.
const addedResources = new ObjectMemo<Step, EncodedResource>();

function orExplain<Result>(step: Step, resource: EncodedResource | undefined, apply: () => Result): Result {
  try {
    return apply();
  } catch (cause) {
    const { change, policy, index } = step;
    const what = `default.appendModifications[${index}].${change.subject} of MeshProxyPatch "${policy?.name ?? ""}"`;
    const where = resource === undefined ? "" : ` on "${resource.name}"`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { typeUrl = "", name = "" } = resource ?? {};
    throw new PolicyFailure(`Cannot do ${what}${where}: ${reason}`, {
      origins: krisOf(step),
      typeUrl,
      resource: name,
      cause,
    });
  }
}
