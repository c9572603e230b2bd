import type { Kind, KindRegistry } from "./kind.ts";
import { LABEL } from "./labels.ts";
import type { NewResource, Resource } from "./resource.ts";
import { nearest, parseWith, unknownField } from "./schema.ts";
import { fieldPath, type Parsed, type Violation } from "./violation.ts";

/** What must agree with the place a document was sent to: the path of a REST call, or nothing for a file. */
export interface Expected {
  readonly type?: string;
  readonly mesh?: string;
  readonly name?: string;
}

const META_FIELDS = ["type", "mesh", "name", "labels", "creationTime", "modificationTime", "kri"];
/** What answers carry beside the fields that users write. kumactl sends it along, `snis` with MeshServices. */
const COMPUTED_FIELDS = ["snis"];
const NAME = /^[0-9a-z]([-.0-9a-z]*[0-9a-z])?$/;
const LABEL_NAME = /^[a-z]([-0-9a-z]*[0-9a-z])?$/;
const LABEL_KEY = /^([0-9a-z]([-.0-9a-z]*[0-9a-z])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$/;

/** Reads one document as users write it (Kuma's Universal form). Gives every mistake, each with its path. */
export function parseResource(kinds: KindRegistry, raw: unknown, expected: Expected = {}): Parsed<NewResource> {
  if (!isRecord(raw))
    // Whatever it is, it may be a secret.
    return wrong("", "must be an object with type, name and fields");
  const type = raw["type"] ?? expected.type;
  if (typeof type !== "string") return wrong("type", "must be set to a resource type such as Mesh or Dataplane");
  const kind = kinds.byType(type);
  if (kind === undefined) return wrong("type", unknownType(kinds, type));

  const meta = parseMeta(kind, raw, expected);
  const { spec, status, violations } = parseSpec(kind, raw);
  const all = [...meta.violations, ...violations];
  if (all.length > 0) return { ok: false, violations: all };
  return {
    ok: true,
    value: {
      type,
      mesh: meta.mesh,
      name: meta.name,
      labels: meta.labels,
      spec,
      ...(status === undefined ? {} : { status }),
    },
  };
}

/** The JSON form of a stored resource: the fields users write, then times. */
export function formatResource(kind: Kind, resource: Resource): Record<string, unknown> {
  const meta = {
    type: resource.type,
    ...(kind.scope === "Mesh" ? { mesh: resource.mesh } : {}),
    name: resource.name,
    creationTime: resource.creationTime,
    modificationTime: resource.modificationTime,
    ...(Object.keys(resource.labels).length > 0 ? { labels: resource.labels } : {}),
  };
  if (kind.shape === "core") return { ...meta, ...(resource.spec as object) };
  return {
    ...meta,
    spec: resource.spec,
    ...(resource.status === undefined ? {} : { status: resource.status }),
  };
}

function parseMeta(kind: Kind, raw: Raw, expected: Expected): Meta {
  const violations: Violation[] = [];
  const name = text(raw, { field: "name", expected: expected.name }, violations);
  const mesh =
    kind.scope === "Global"
      ? ""
      : text(raw, { field: "mesh", expected: expected.mesh, fallback: "default" }, violations);
  if (kind.scope === "Global" && raw["mesh"] !== undefined && raw["mesh"] !== "") {
    violations.push({
      field: "mesh",
      message: `must not be set: a ${kind.type} belongs to no mesh`,
    });
  }
  if (expected.type !== undefined && raw["type"] !== undefined && raw["type"] !== expected.type) {
    violations.push({
      field: "type",
      message: `must be "${expected.type}" as in the URL, not ${JSON.stringify(raw["type"])}`,
    });
  }
  violations.push(...checkName(kind, name), ...checkLabels(raw["labels"]));
  const labels = isRecord(raw["labels"]) ? (raw["labels"] as Record<string, string>) : {};
  const labelled = labels[LABEL.mesh];
  if (kind.scope === "Mesh" && labelled !== undefined && labelled !== mesh) {
    violations.push({
      field: `labels[${LABEL.mesh}]`,
      message: `must be "${mesh}", the mesh of the resource, not "${labelled}"`,
    });
  }
  return { name, mesh, labels, violations };
}

interface Wanted {
  readonly field: "name" | "mesh";
  readonly expected: string | undefined;
  readonly fallback?: string;
}

function text(raw: Raw, { field, expected, fallback }: Wanted, violations: Violation[]): string {
  const value = raw[field] ?? expected ?? fallback;
  if (typeof value !== "string" || value === "") {
    violations.push({ field, message: "must be set" });
    return "";
  }
  if (expected !== undefined && value !== expected) {
    violations.push({ field, message: `must be "${expected}" as in the URL, not "${value}"` });
  }
  return value;
}

function checkName(kind: Kind, name: string): Violation[] {
  if (name === "") return [];
  if (kind.nameIsLabel && (name.length > 63 || !LABEL_NAME.test(name))) {
    return [
      {
        field: "name",
        message: "must start with a letter and hold at most 63 lower-case letters, digits and '-' (RFC 1035)",
      },
    ];
  }
  if (name.length > 253 || !NAME.test(name)) {
    return [
      {
        field: "name",
        message:
          "must be at most 253 lower-case letters, digits, '-' and '.', and start and end with a letter or digit",
      },
    ];
  }
  return [];
}

function checkLabels(labels: unknown): Violation[] {
  if (labels === undefined) return [];
  if (!isRecord(labels)) return [{ field: "labels", message: "must be an object of texts" }];
  return Object.entries(labels).flatMap(([key, value]) => {
    const field = `labels[${key}]`;
    if (key.length > 317 || !LABEL_KEY.test(key))
      return [{ field, message: "must be a name such as team or example.com/team" }];
    if (typeof value !== "string")
      return [{ field, message: `must be a text, not ${JSON.stringify(value)}; put it in quotes` }];
    if (value.length > 63 || !LABEL_VALUE.test(value)) {
      return [
        {
          field,
          message: "must be at most 63 letters, digits, '-', '_' and '.', and start and end with a letter or digit",
        },
      ];
    }
    return [];
  });
}

function parseSpec(kind: Kind, raw: Raw): { spec: unknown; status: unknown; violations: readonly Violation[] } {
  const root = kind.shape === "core" ? [] : ["spec"];
  const rest = Object.fromEntries(
    Object.entries(raw).filter(([key]) => ![...META_FIELDS, ...COMPUTED_FIELDS].includes(key)),
  );
  const unknown = kind.shape === "core" ? [] : strangers(rest, kind.hasStatus === true);
  const body = kind.shape === "core" ? rest : (raw["spec"] ?? {});
  const parsed = parseWith(kind.schema, body, root);
  if (!parsed.ok) return { spec: undefined, status: undefined, violations: [...unknown, ...parsed.violations] };
  const checks = (kind.check?.(parsed.value) ?? []).map((violation) => ({
    ...violation,
    field: violation.field === "" ? fieldPath(root) : fieldPath([...root, violation.field]),
  }));
  return { spec: parsed.value, status: raw["status"], violations: [...unknown, ...checks] };
}

function strangers(rest: Raw, hasStatus: boolean): Violation[] {
  const known = hasStatus ? ["spec", "status"] : ["spec"];
  return Object.keys(rest)
    .filter((key) => !known.includes(key))
    .map((key) => ({ field: key, message: unknownField(key, [...META_FIELDS, ...known]) }));
}

function unknownType(kinds: KindRegistry, type: string): string {
  const near = nearest(
    type,
    kinds.all.map((kind) => kind.type),
  );
  return `must be a known resource type, not "${type}"${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

type Raw = Readonly<Record<string, unknown>>;
interface Meta {
  readonly name: string;
  readonly mesh: string;
  readonly labels: Record<string, string>;
  readonly violations: readonly Violation[];
}

function isRecord(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(field: string, message: string): { ok: false; violations: Violation[] } {
  return { ok: false, violations: [{ field, message }] };
}
