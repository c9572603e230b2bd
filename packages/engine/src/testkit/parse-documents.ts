import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { type Kind, kindRegistry } from "@heddle/model/kind.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { parseAllDocuments } from "yaml";
import type { Policy } from "../policy.ts";

/** What a case's documents are: resources, or what is wrong with each that is none. */
export interface ParsedDocuments {
  readonly resources: readonly Resource[];
  /** By "Type name", as written. */
  readonly violations: Readonly<Record<string, readonly string[]>>;
  /** What is accepted and yet worth a word, by "Type name". */
  readonly warnings: Readonly<Record<string, readonly string[]>>;
}

/** Reads YAML as users write it. Every resource is as if it had been stored at the same moment. */
export function parseDocuments(yaml: string, policies: readonly Policy[]): ParsedDocuments {
  const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
  const resources: Resource[] = [];
  const violations: Record<string, readonly string[]> = {};
  const warnings: Record<string, readonly string[]> = {};
  for (const document of parseAllDocuments(yaml)) {
    const raw: unknown = document.toJS();
    const parsed = parseResource(kinds, raw);
    const { type, name } = raw as { readonly type: string; readonly name: string };
    if (parsed.ok) {
      resources.push({ ...parsed.value, ...STORED });
      const said = warningsOf(kinds.byType(type), parsed.value.spec);
      if (said.length > 0) warnings[`${type} ${name}`] = said;
    } else {
      violations[`${type} ${name}`] = parsed.violations.map(({ field, message }) => `${field}: ${message}`);
    }
  }
  return { resources, violations, warnings };
}

function warningsOf(kind: Kind | undefined, spec: unknown): readonly string[] {
  return kind?.warn?.(spec) ?? [];
}

const STORED = { version: 1, creationTime: "2026-01-01T00:00:00Z", modificationTime: "2026-01-01T00:00:00Z" };
