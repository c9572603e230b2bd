import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { parseAllDocuments } from "yaml";
import { LaunchError } from "../launch-error.ts";
import type { DataplaneOptions } from "../options/settings.ts";
import { renderTemplate } from "./render-template.ts";

/** Which proxy this is. */
export interface ProxyName {
  readonly mesh: string;
  readonly name: string;
}

/** The proxy to run, as far as this side knows it. */
export interface LoadedDataplane extends ProxyName {
  /** JSON of the Dataplane, variables filled in; absent: the control plane has it. */
  readonly resource?: string;
  /** Its networking, when it is a Dataplane; absent for what only the control plane knows. */
  readonly networking?: DataplaneSpec["networking"];
}

type Source = Pick<DataplaneOptions, "dataplane" | "dataplaneFile" | "dataplaneVar" | "name" | "mesh">;

/** Reads the Dataplane that the options bring or name. Throws LaunchError "dataplane" or "options". */
export async function loadDataplane(options: Source): Promise<LoadedDataplane> {
  checkExclusive(options);
  const { dataplane, dataplaneFile } = options;
  if (dataplane === undefined && dataplaneFile === undefined) return named(options);
  const label = dataplaneFile ?? "--dataplane";
  const template = dataplaneFile === undefined ? (dataplane ?? "") : await readSource(dataplaneFile);
  return parseDataplane(template, label, options.dataplaneVar);
}

function parseDataplane(template: string, label: string, values: Readonly<Record<string, string>>): LoadedDataplane {
  const rendered = renderTemplate(template, values);
  if (!rendered.ok) throw invalid(label, rendered.violations);
  const document = parseYaml(rendered.value, label);
  // Kuma 2.x's zone proxies have kinds of their own, which only the control plane reads.
  if (document["type"] === "ZoneIngress" || document["type"] === "ZoneEgress") return zoneProxy(document, label);
  const parsed = parseResource(KINDS, document, { type: "Dataplane" });
  if (!parsed.ok) throw invalid(label, parsed.violations);
  const { mesh, name, spec } = parsed.value;
  const resource = JSON.stringify({ ...document, type: "Dataplane", mesh, name });
  return { mesh, name, resource, networking: (spec as DataplaneSpec).networking };
}

const KINDS = kindRegistry(CORE_KINDS);

function parseYaml(text: string, label: string): Readonly<Record<string, unknown>> {
  const documents = parseAllDocuments(text, { prettyErrors: true });
  const [first, ...more] = Array.isArray(documents) ? documents : [];
  const problem = first?.errors[0];
  if (problem !== undefined) throw invalid(label, [{ field: "", message: problem.message }]);
  if (more.length > 0) throw invalid(label, [{ field: "", message: "must be one document, not several" }]);
  const document: unknown = first?.toJS({ maxAliasCount: 100 });
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw invalid(label, [{ field: "", message: "must be YAML or JSON of a Dataplane" }]);
  }
  return document as Readonly<Record<string, unknown>>;
}

function zoneProxy(document: Readonly<Record<string, unknown>>, label: string): LoadedDataplane {
  const name = document["name"];
  if (typeof name !== "string" || name === "") throw invalid(label, [{ field: "name", message: "must be set" }]);
  return { mesh: "default", name, resource: JSON.stringify(document) };
}

function named({ name, mesh }: Source): LoadedDataplane {
  if (name !== undefined) return { name, mesh: mesh ?? "default" };
  throw new LaunchError("options", "Cannot tell which proxy to run: there is no Dataplane and no name", {
    next: [
      "Give the Dataplane of this instance: --dataplane-file=dp.yaml",
      "Or name one that the control plane has already: --name=backend-1 --mesh=default",
    ],
  });
}

function checkExclusive({ dataplane, dataplaneFile, name, mesh }: Source): void {
  if (dataplane !== undefined && dataplaneFile !== undefined) {
    throw new LaunchError(
      "options",
      "Cannot use both --dataplane and --dataplane-file: they say the same thing twice",
      {
        next: ["Leave one of them away"],
      },
    );
  }
  if ((dataplane !== undefined || dataplaneFile !== undefined) && (name !== undefined || mesh !== undefined)) {
    throw new LaunchError("options", "Cannot use --name or --mesh with a Dataplane: name and mesh stand in it", {
      next: ["Leave --name and --mesh away, or write {{ name }} in the file and add --dataplane-var name=..."],
    });
  }
}

async function readSource(path: string): Promise<string> {
  if (path === "-") return readStream(process.stdin);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const state = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (cause as Error).message;
    throw new LaunchError("dataplane", `Cannot read Dataplane "${path}": ${state}`, {
      next: ["Check --dataplane-file"],
      cause,
    });
  }
}

function invalid(label: string, violations: readonly Violation[]): LaunchError {
  return new LaunchError("dataplane", `Cannot use Dataplane "${label}": it is not valid`, {
    details: violations.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)),
    next: ["Correct the file; `heddle apply --dry-run -f` checks it too"],
  });
}
