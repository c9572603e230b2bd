import { isDeepStrictEqual } from "node:util";
import { ApiError } from "@heddle/api/http/api-error.ts";
import { readJson } from "@heddle/api/http/read-json.ts";
import { readYaml } from "@heddle/api/http/read-yaml.ts";
import { parseDocuments } from "@heddle/cli/documents/parse-documents.ts";
import { parsePolicies } from "@heddle/cli/inspect/read-policies.ts";
import { parseAccess } from "@heddle/cli/commands/inspect/access.ts";
import { parseZoneRow } from "@heddle/cli/commands/inspect/zones.ts";
import { parseDataplaneRow } from "@heddle/cli/tables/dataplane-row.ts";
import { parsePlan } from "@heddle/cli/apply/plan.ts";
import { parseRollout } from "@heddle/cli/api/rollout.ts";
import { CliError } from "@heddle/cli/cli-error.ts";
import { formatProfiles, parseProfiles } from "@heddle/cli/profiles/profile.ts";
import { translateDocuments } from "@heddle/cli/translate/translate-documents.ts";
import { parseBootstrapRequest } from "@heddle/control-plane/bootstrap/bootstrap-request.ts";
import { describeConfig, ignoredSettings, loadConfig, settings } from "@heddle/control-plane/config/load-config.ts";
import { readBootstrap } from "@heddle/data-plane/envoy/read-bootstrap.ts";
import { LaunchError } from "@heddle/data-plane/launch-error.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { anyValues, caseTexts, documents } from "../corpus.ts";
import { LONGEST_MILLIS } from "../run-target.ts";
import {
  allowing,
  fromTexts,
  fromTrees,
  holds,
  oneOf,
  type Target,
  type TargetPlan,
  textOf,
  treeOf,
} from "../target.ts";

const SEED = 5;
/** A program of one user, at whose start nobody else waits. */
const ALONE_MILLIS = 2_000;
// Made for the targets that want them only: that takes longer than some of the others run.
const trees = (): readonly unknown[] => [...documents(SEED), ...anyValues(SEED)];
const documentsIn = (): Target["make"] =>
  oneOf(fromTexts(caseTexts().flatMap((text) => text.split("---\n"))), fromTrees(trees(), { yaml: true }));
const json = (): Target["make"] =>
  oneOf(fromTrees(trees(), { yaml: false }), fromTexts(documents(SEED).map((each) => JSON.stringify(each))));

const yamlBody: TargetPlan = {
  name: "yaml-body",
  share: 6,
  open: () => ({
    name: "yaml-body",
    make: documentsIn(),
    run: (input) => {
      const value = allowing(() => readYaml(textOf(input)), ApiError);
      if (value === undefined) return;
      // What JSON has no words for, such as -0, is gone after the first time.
      const first = readJson(JSON.stringify(value));
      holds(isDeepStrictEqual(readJson(JSON.stringify(first)), first), "what was read from YAML stays as JSON");
    },
  }),
};

const jsonBody: TargetPlan = {
  name: "json-body",
  share: 50,
  open: () => ({
    name: "json-body",
    // Reads twice and prints twice: a body of 1 MiB takes 10 to 20 ms each time.
    longestMillis: 2 * LONGEST_MILLIS,
    make: json(),
    run: (input) => {
      const value = allowing(() => readJson(textOf(input)), ApiError);
      if (value === undefined) return;
      const printed = canonicalJson(value);
      holds(canonicalJson(readJson(printed)) === printed, "what was read from JSON reads the same from its JSON");
    },
  }),
};

const cliDocuments: TargetPlan = {
  name: "cli-documents",
  share: 1,
  open: () => ({
    name: "cli-documents",
    longestMillis: ALONE_MILLIS,
    make: oneOf(fromTexts(caseTexts()), documentsIn()),
    run: (input) => {
      const { documents: read } = parseDocuments({ name: "fuzz.yaml", text: textOf(input) }, "default");
      translateDocuments(read);
    },
  }),
};

// Names and defaults of settings are what files of them are made of.
const configTexts = [
  ...settings.map(
    ({ path, default: value }) =>
      `${path.split(".").join(": {")}: ${JSON.stringify(value)}${"}".repeat(path.split(".").length - 1)}`,
  ),
  "access: { static: { adminResources: { users: [a], groups: [b] } } }\napiServer: { auth: { clientCertsDir: /x } }",
];
const configFile: TargetPlan = {
  name: "config-file",
  share: 2,
  open: () => ({
    name: "config-file",
    longestMillis: ALONE_MILLIS,
    make: fromTexts(configTexts),
    run: (input) => {
      const file = textOf(input);
      const config = loadConfig({ file, env: {}, flags: {} });
      if (config.ok) describeConfig(config.value);
      ignoredSettings(file);
      // The same text as the value of one setting.
      const { env = [] } = settings[input.length % settings.length] ?? {};
      loadConfig({ env: { [env[0] ?? ""]: file }, flags: {} });
    },
  }),
};

const ANSWERS = [
  {
    total: 1,
    items: [
      { type: "Dataplane", mesh: "default", name: "web", networking: { address: "1.2.3.4", inbound: [{ port: 1 }] } },
    ],
    next: null,
  },
  {
    dataplane: { networking: {} },
    dataplaneInsight: { subscriptions: [{ connectTime: "2026-01-01T00:00:00Z", status: {} }] },
  },
  { zoneInsight: { subscriptions: [{ connectTime: "x", version: { kumaCp: { version: "1" } } }] } },
  {
    revision: 1,
    proxies: { affected: 3, acked: 1 },
    rejected: [{ mesh: "m", dataplane: "d", detail: "x", origins: [{ type: "T", name: "n" }] }],
    elapsedMillis: 1,
    done: true,
  },
  {
    changes: [{ outcome: "created", type: "Mesh", name: "x", violations: [{ field: "a", message: "b" }] }],
    proxies: [{ name: "web", changes: [] }],
  },
  {
    rules: [{ type: "MeshTimeout", toRules: [{ matchers: [], conf: {}, origin: [] }] }],
    policies: [{ kind: "MeshTimeout", origins: [] }],
  },
  {
    controlPlanes: [
      { name: "a", coordinates: { apiServer: { url: "http://x", headers: [{ key: "a", value: "b" }] } } },
    ],
    contexts: [{ name: "a", controlPlane: "a" }],
    currentContext: "a",
  },
  { from: "web", to: "backend", decision: "allow", policies: [], fix: "x" },
];
const cliAnswers: TargetPlan = {
  name: "cli-answers",
  share: 40,
  open: () => ({
    name: "cli-answers",
    make: oneOf(fromTrees(ANSWERS, { yaml: false }), json()),
    run: (input) => {
      const answer = treeOf(input);
      const record = (typeof answer === "object" ? answer : {}) as Readonly<Record<string, unknown>>;
      for (const parse of [parsePlan, parseRollout, parseAccess, parseZoneRow, parseDataplaneRow]) {
        allowing(() => parse(parse === parseRollout ? record : answer), CliError);
      }
      allowing(() => parsePolicies("x", answer), CliError);
      formatProfiles(parseProfiles(answer));
    },
  }),
};

const BOOTSTRAP_REQUESTS = [
  {
    mesh: "default",
    name: "web",
    proxyType: "dataplane",
    dataplaneToken: "x.y.z",
    dataplaneResource: '{"type":"Dataplane","mesh":"default","name":"web","networking":{"address":"192.0.2.1"}}',
    version: { kumaDp: { version: "2.9.0" }, envoy: { version: "1.40.0", kumaDpCompatible: true } },
    caCert: "-----BEGIN CERTIFICATE-----",
    dynamicMetadata: { a: "b" },
    adminPort: 9901,
    features: ["x"],
    resources: { maxHeapSizeBytes: 1 },
    metricsResources: { certPath: "/c", keyPath: "/k" },
  },
];
const bootstrapBody: TargetPlan = {
  name: "bootstrap-body",
  share: 40,
  open: () => ({
    name: "bootstrap-body",
    make: fromTrees(BOOTSTRAP_REQUESTS, { yaml: false }),
    run: (input) => void parseBootstrapRequest(treeOf(input)),
  }),
};

const ENVOY_BOOTSTRAP = `admin: { address: { pipe: { path: /tmp/a } } }
static_resources: { listeners: [{ name: x, address: { socket_address: { address: 1.2.3.4, port_value: 1 } } }] }
node: { id: a.b }
`;
const launcher: TargetPlan = {
  name: "envoy-bootstrap",
  share: 1,
  open: () => ({
    name: "envoy-bootstrap",
    longestMillis: ALONE_MILLIS,
    make: fromTexts([ENVOY_BOOTSTRAP]),
    run: (input) => void allowing(() => readBootstrap(textOf(input)), LaunchError),
  }),
};

/** Documents, bodies and files, as text. */
export const DOCUMENT_TARGETS = [yamlBody, jsonBody, cliDocuments, configFile, cliAnswers, bootstrapBody, launcher];
