import { z } from "zod";
import { readShortYaml } from "../short-yaml.ts";
import type { Violation } from "../violation.ts";
import { compact, legacyKind, numbered, topOf } from "./legacy-kind.ts";
import { checkSelectors, rankOf, selectorSchema } from "./selector.ts";

const origin = z.string().min(1).optional().describe("inbound, outbound, transparent, prometheus, ...");
const name = z.string().min(1).optional().describe("Its name");
const tags = z.record(z.string(), z.string()).optional().describe("Tags that its listener must have");
const value = z.string().optional().describe("Envoy's YAML");
const WHOLE = ["add", "remove", "patch"] as const;
const FILTER = ["addFirst", "addLast", "addBefore", "addAfter", "remove", "patch"] as const;
const filterMatch = z
  .strictObject({ origin, name, listenerName: z.string().optional(), listenerTags: tags })
  .optional();

const modificationSchema = z.strictObject({
  cluster: z
    .strictObject({ operation: z.enum(WHOLE), match: z.strictObject({ origin, name }).optional(), value })
    .optional(),
  listener: z
    .strictObject({ operation: z.enum(WHOLE), match: z.strictObject({ origin, name, tags }).optional(), value })
    .optional(),
  networkFilter: z.strictObject({ operation: z.enum(FILTER), match: filterMatch, value }).optional(),
  httpFilter: z.strictObject({ operation: z.enum(FILTER), match: filterMatch, value }).optional(),
  virtualHost: z
    .strictObject({
      operation: z.enum(WHOLE),
      match: z.strictObject({ origin, name, routeConfigurationName: z.string().optional() }).optional(),
      value,
    })
    .optional(),
});
type Modification = z.infer<typeof modificationSchema>;
const rawSchema = z.strictObject({
  name: z.string().min(1).describe("Its name"),
  version: z.string().optional().describe("Its version"),
  resource: z.string().min(1).describe("Envoy's YAML, with @type"),
});
type Raw = z.infer<typeof rawSchema>;
const confSchema = z.strictObject({
  imports: z.array(z.string()).optional().describe("What is there before: default-proxy"),
  resources: z.array(rawSchema).optional().describe("Envoy resources to add"),
  modifications: z.array(modificationSchema).optional().describe("Changes to what is there"),
});
type Conf = z.infer<typeof confSchema>;

/** Kuma 2.x: changes to what Envoy gets. */
export const proxyTemplate = legacyKind({
  type: "ProxyTemplate",
  path: "proxytemplates",
  shortName: "pt",
  singular: "Proxy Template",
  plural: "Proxy Templates",
  schema: z.strictObject({
    selectors: z.array(selectorSchema).describe("Which proxies, by tags"),
    conf: confSchema.describe("What changes"),
  }),
  check: ({ selectors, conf }) => [...checkSelectors(selectors, "selectors", { service: true }), ...checkConf(conf)],
  legacy: {
    becomes: ["MeshProxyPatch"],
    side: "proxy",
    choice: "one",
    staysBeside: true,
    translate: ({ selectors, conf }, context) => {
      const appendModifications = modificationsOf(conf);
      return {
        policies: selectors.map((selector, index) => ({
          type: "MeshProxyPatch",
          name: numbered(context.name, index),
          spec: { ...topOf(selector), default: { appendModifications } },
          rank: rankOf(selector),
          itemRanks: [],
          ...(appendModifications.length === 0 && { inert: true }),
        })),
        notes: notesOn(conf),
      };
    },
  },
});

function modificationsOf({ modifications = [], resources = [] }: Conf): readonly object[] {
  const added = resources.flatMap((raw) => {
    const { place, yaml } = readRaw(raw) ?? {};
    return place === undefined ? [] : [{ [place]: { operation: "Add", value: yaml } }];
  });
  return [...added, ...modifications.map(modificationOf)];
}

// Today's operations have the same names with a capital letter.
function modificationOf(modification: Modification): object {
  return Object.fromEntries(
    Object.entries(modification).flatMap(([place, change]) => {
      if (change === undefined) return [];
      const operation = `${change.operation[0]?.toUpperCase()}${change.operation.slice(1)}`;
      return [[place, compact({ ...change, operation })]];
    }),
  );
}

const PLACES: Readonly<Record<string, "cluster" | "listener">> = {
  "type.googleapis.com/envoy.config.cluster.v3.Cluster": "cluster",
  "type.googleapis.com/envoy.config.listener.v3.Listener": "listener",
};

function readRaw({ resource }: Raw): { readonly place?: "cluster" | "listener"; readonly yaml: string } | undefined {
  const parsed = asObject(resource);
  if (parsed === undefined) return undefined;
  const place = PLACES[String(parsed["@type"])];
  // The place says the type, and a patch of that place must not say it again.
  const yaml = resource.replace(/^\s*["']?@type["']?:.*(\n|$)/m, "");
  return place === undefined ? { yaml } : { place, yaml };
}

function asObject(yaml: string): Readonly<Record<string, unknown>> | undefined {
  const read = readShortYaml(yaml);
  return read.ok && typeof read.value === "object" && read.value !== null
    ? (read.value as Record<string, unknown>)
    : undefined;
}

function notesOn({ imports, resources = [] }: Conf): readonly string[] {
  return [
    ...(imports?.includes("default-proxy") === false
      ? ["conf.imports: proxies keep what they have anyway: nothing of today leaves default-proxy out"]
      : []),
    ...resources.flatMap((raw, index) => {
      const place = readRaw(raw)?.place;
      return place === undefined
        ? [`conf.resources[${index}]: "${raw.name}" was left out: only clusters and listeners can be added today`]
        : [];
    }),
  ];
}

// As much as in a MeshProxyPatch, which it becomes.
const MOST_CHARACTERS = 65_536;

function checkConf({ imports = [], resources = [], modifications = [] }: Conf): readonly Violation[] {
  const values = modifications.flatMap((each) => Object.values(each).map((change) => change?.value ?? ""));
  const characters = [...values, ...resources.map(({ resource }) => resource)].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  if (characters > MOST_CHARACTERS) {
    return [{ field: "conf", message: `must have at most ${MOST_CHARACTERS / 1_024} KiB of Envoy's YAML in all` }];
  }
  return [
    ...imports.flatMap((profile, index) =>
      profile === "default-proxy" || profile === "gateway-proxy"
        ? []
        : [{ field: `conf.imports[${index}]`, message: `must be default-proxy, not "${profile}"` }],
    ),
    ...resources.flatMap((raw, index) =>
      asObject(raw.resource)?.["@type"] === undefined
        ? [{ field: `conf.resources[${index}].resource`, message: 'must be YAML with "@type", such as a Cluster' }]
        : [],
    ),
    ...modifications.flatMap((each, index) => checkModification(each, `conf.modifications[${index}]`)),
  ];
}

function checkModification(modification: Modification, field: string): readonly Violation[] {
  const set = Object.entries(modification).filter(([, change]) => change !== undefined);
  if (set.length !== 1) {
    return [{ field, message: "must have exactly one of cluster, listener, networkFilter, httpFilter, virtualHost" }];
  }
  return set.flatMap(([place, change]) => {
    if (change === undefined) return [];
    const needsName = change.operation === "addBefore" || change.operation === "addAfter";
    return [
      ...(needsName && change.match?.name === undefined
        ? [{ field: `${field}.${place}.match.name`, message: `must be set with ${change.operation}` }]
        : []),
      ...checkValue(change.operation, change.value, `${field}.${place}.value`),
    ];
  });
}

function checkValue(operation: string, yaml: string | undefined, field: string): readonly Violation[] {
  if (operation === "remove") {
    return yaml === undefined ? [] : [{ field, message: "must not be set with remove" }];
  }
  if (yaml === undefined) return [{ field, message: `must be set with ${operation}` }];
  return asObject(yaml) === undefined ? [{ field, message: "must be Envoy's configuration in YAML" }] : [];
}
