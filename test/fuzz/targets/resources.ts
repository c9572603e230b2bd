import { kubernetesForm } from "@heddle/api/resources/kubernetes-form.ts";
import { inspectJsonText } from "@heddle/api/http/json-text.ts";
import { withOwnedLabels } from "@heddle/api/resources/owned-labels.ts";
import { KINDS } from "@heddle/control-plane/kinds.ts";
import { parseDataplane } from "@heddle/control-plane/proxies/register.ts";
import { compile } from "@heddle/engine/compile.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { SMALL_MESH } from "@heddle/engine/testkit/any-spec.ts";
import { isDataplane, meshOf } from "@heddle/engine/testkit/mesh-of.ts";
import { parseDocuments } from "@heddle/engine/testkit/parse-documents.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { formatResource, parseResource } from "@heddle/model/parse-resource.ts";
import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import type { NewResource, Resource } from "@heddle/model/resource.ts";
import { readValue, SUBJECTS } from "@heddle/policies/mesh-proxy-patch/change.ts";
import { policies } from "@heddle/policies/index.ts";
import { documents } from "../corpus.ts";
import { allowing, fromTexts, fromTrees, holds, type TargetPlan, textOf, treeOf } from "../target.ts";

const SEED = 5;
const PLACE = { mode: "zone", zone: "zone-1", environment: "universal" } as const;
const LONGEST_BODY = 1_048_576;
const STORED = { version: 1, creationTime: "2026-01-01T00:00:00Z", modificationTime: "2026-01-01T00:00:00Z" };

/** A resource that the REST API would store, and its kind. */
function accepted(input: Uint8Array): { readonly kind: Kind; readonly resource: Resource } | undefined {
  const text = textOf(input);
  const raw = treeOf(input);
  // What stands in front of every parser: what is too long, too deep or too much never comes here.
  if (input.length > LONGEST_BODY || typeof raw === "string" || inspectJsonText(text) !== undefined) return undefined;
  const parsed = parseResource(KINDS, raw);
  const kind = parsed.ok ? KINDS.byType(parsed.value.type) : undefined;
  return parsed.ok && kind !== undefined ? { kind, resource: { ...parsed.value, ...STORED } } : undefined;
}

const resources: TargetPlan = {
  name: "resources",
  share: 12,
  open: () => ({
    name: "resources",
    // Reads a resource twice, and prints it in each form.
    longestMillis: 100,
    make: fromTrees(documents(SEED), { yaml: false }),
    run: (input) => {
      const one = accepted(input);
      if (one === undefined) return;
      const { kind, resource } = one;
      kind.warn?.(resource.spec);
      kubernetesForm(kind, resource);
      withOwnedLabels(kind, resource, PLACE);
      const again = parseResource(KINDS, JSON.parse(JSON.stringify(formatResource(kind, resource))));
      holds(
        again.ok,
        `what was accepted and printed is accepted again: ${again.ok ? "" : JSON.stringify(again.violations)}`,
      );
      if (again.ok) holds(contentOf(again.value) === contentOf(resource), "what was printed reads as what it was");
    },
  }),
};

function contentOf({ type, mesh, name, labels, spec }: NewResource): string {
  return canonicalJson(JSON.parse(JSON.stringify([type, mesh, name, labels, spec])));
}

const compiled: TargetPlan = {
  name: "compile",
  share: 4,
  open: () => {
    const { resources: world } = parseDocuments(SMALL_MESH, policies);
    return {
      name: "compile",
      // Reads a resource and compiles a proxy's whole configuration with it: two thousand rules take 40 ms.
      longestMillis: 100,
      make: fromTrees(documents(SEED), { yaml: false }),
      run: (input) => {
        const one = accepted(input)?.resource;
        if (one === undefined) return;
        const placed = {
          ...one,
          ...(one.type === "Mesh" ? { name: "default" } : one.mesh === "" ? {} : { mesh: "default" }),
        };
        const others = world.filter(
          ({ type, name }) => type !== placed.type || (type !== "Mesh" && name !== placed.name),
        );
        const mesh = meshOf([...others, placed]);
        const [first] = [...others, placed].filter(isDataplane);
        const entry = mesh.dataplanes.get(first?.name ?? "");
        if (entry !== undefined) allowing(() => compile(mesh, entry, policies, new Memo()), PolicyFailure);
      },
    };
  },
};

const registration: TargetPlan = {
  name: "dataplane-registration",
  share: 10,
  open: () => ({
    name: "dataplane-registration",
    make: fromTrees(
      documents(SEED).filter((each) => (each as { type?: unknown } | null)?.type === "Dataplane"),
      { yaml: true },
    ),
    run: (input) => void parseDataplane(KINDS, textOf(input), { mesh: "default", name: "web" }, PLACE),
  }),
};

const patches = (): readonly string[] =>
  documents(SEED)
    .flatMap((each) => [...JSON.stringify(each).matchAll(/"value":("(?:[^"\\]|\\.)*")/g)])
    .flatMap(([, quoted]) => {
      const text = JSON.parse(quoted ?? '""') as string;
      return text.includes(":") ? [text] : [];
    });
const patchValue: TargetPlan = {
  name: "proxy-patch-value",
  share: 5,
  open: () => ({
    name: "proxy-patch-value",
    make: fromTexts(patches()),
    run: (input) => {
      const subjects = Object.values(SUBJECTS);
      const subject = subjects[input.length % subjects.length];
      if (subject !== undefined) readValue(subject, textOf(input), "value");
    },
  }),
};

/** Resources: what becomes of a document once it is read. */
export const RESOURCE_TARGETS = [resources, compiled, registration, patchValue];
