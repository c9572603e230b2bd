import { type JsonSchema, fieldsOf, variants } from "./json-schema.ts";
import type { Kind } from "./kind.ts";

/** What Kubernetes calls a schema that it can keep: every value has one type, said where it stands. */
type Structural = Readonly<Record<string, unknown>>;

const GROUP = "kuma.io";
const VERSION = "v1alpha1";
/** Kinds of the whole installation that Kuma keeps in its own namespace, where every zone may have its own. */
const IN_SYSTEM_NAMESPACE = ["HostnameGenerator"];

/**
 * The CustomResourceDefinition of a kind, as `kubectl apply` takes it. Undefined for secrets: on Kubernetes these are
 * Secrets. What a schema cannot say there (patterns, references between fields) is checked when a resource is admitted.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function customResourceDefinition(kind: Kind): Structural | undefined {
  if (kind.secret === true) return undefined;
  const isNamespaced = kind.scope === "Mesh" || IN_SYSTEM_NAMESPACE.includes(kind.type);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.path}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: kind.type,
        listKind: `${kind.type}List`,
        plural: kind.path,
        singular: kind.type.toLowerCase(),
        ...(kind.shortName === undefined ? {} : { shortNames: [kind.shortName] }),
        ...(kind.policy === undefined ? {} : { categories: ["kuma"] }),
      },
      scope: isNamespaced ? "Namespaced" : "Cluster",
      versions: [versionOf(kind)],
    },
  };
}

function versionOf(kind: Kind): Structural {
  const spec = structural(kind.schema.toJSONSchema({ io: "input", unrepresentable: "any" }) as JsonSchema);
  const text = { type: "string" };
  return {
    name: VERSION,
    served: true,
    storage: true,
    ...(kind.hasStatus === true ? { subresources: { status: {} } } : {}),
    schema: {
      openAPIV3Schema: {
        description: kind.singular,
        type: "object",
        properties: {
          apiVersion: text,
          kind: text,
          metadata: { type: "object" },
          // Kuma's oldest kinds say their mesh here, all others by the label kuma.io/mesh.
          ...(kind.shape === "core" && kind.scope === "Mesh" ? { mesh: text } : {}),
          spec,
          ...(kind.hasStatus === true ? { status: OPEN } : {}),
        },
      },
    },
  };
}

const OPEN = { type: "object", "x-kubernetes-preserve-unknown-fields": true } as const;
const ANYTHING = { "x-kubernetes-preserve-unknown-fields": true } as const;

/** Says a JSON Schema in the form that Kubernetes accepts: unions become the fields of all their alternatives. */
export function structural(schema: JsonSchema): Structural {
  const described = schema.description === undefined ? {} : { description: schema.description };
  return { ...described, ...valueOf(schema) };
}

function valueOf(schema: JsonSchema): Structural {
  const all = variants(schema);
  const types = new Set(all.map(typeOf));
  if (types.size === 1) return oneType([...types][0], schema, all);
  return [...types].every((type) => type === "string" || type === "integer" || type === "number")
    ? { "x-kubernetes-int-or-string": true }
    : ANYTHING;
}

function oneType(type: string | undefined, schema: JsonSchema, all: readonly JsonSchema[]): Structural {
  switch (type) {
    case "object":
      return objectOf(schema, all);
    case "array":
      return { type, items: structural({ anyOf: all.flatMap(({ items }) => (items === undefined ? [] : [items])) }) };
    case "string":
      return { type, ...choicesOf(all) };
    case "integer":
    case "number":
      return { type, ...boundsOf(all) };
    case "boolean":
      return { type };
    default:
      return ANYTHING;
  }
}

function objectOf(schema: JsonSchema, all: readonly JsonSchema[]): Structural {
  const [open] = all.flatMap(({ additionalProperties }) =>
    typeof additionalProperties === "object" ? [additionalProperties] : [],
  );
  const fields = fieldsOf(schema);
  const names = all.flatMap(({ properties }) => Object.keys(properties ?? {}));
  if (names.length === 0 && open !== undefined) return { type: "object", additionalProperties: structural(open) };
  if (fields.length === 0 || open !== undefined || all.some((each) => each.additionalProperties === true)) return OPEN;
  const required = all.length === 1 ? fields.filter(({ isRequired }) => isRequired).map(({ name }) => name) : [];
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(({ name, schema: field }) => [name, structural(field)])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function typeOf(schema: JsonSchema): string | undefined {
  return schema.type ?? (typeof schema.const === "string" ? "string" : undefined);
}

function choicesOf(all: readonly JsonSchema[]): Structural {
  const choices = all.flatMap((each) => each.enum ?? (each.const === undefined ? [] : [each.const]));
  const isClosed = all.every((each) => each.enum !== undefined || each.const !== undefined);
  return isClosed ? { enum: [...new Set(choices)] } : {};
}

// The bounds that JSON Schema has for every whole number say nothing about this one.
function boundsOf(all: readonly JsonSchema[]): Structural {
  const [{ minimum, maximum } = {}] = all.length === 1 ? all : [];
  const isBound = (bound: number | undefined): boolean =>
    bound !== undefined && Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
  return { ...(isBound(minimum) ? { minimum } : {}), ...(isBound(maximum) ? { maximum } : {}) };
}
