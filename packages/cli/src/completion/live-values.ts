import { type Api, pathOf } from "../api/api.ts";
import { readPages } from "../api/pages.ts";
import { listTypes, resolveType, resourcePath } from "../api/resource-types.ts";
import { record, records, text } from "../json.ts";
import type { Profiles } from "../profiles/profile.ts";
import type { Candidate } from "./candidates.ts";

/** What live values are looked up with. */
export interface Surroundings {
  readonly api: Api;
  readonly profiles: Profiles;
  readonly mesh: string;
  /** The last word of the command: flags of the same name mean different things. */
  readonly command: string;
  /** Arguments of the command before the cursor. */
  readonly given: readonly string[];
}

/** Flags and arguments that take a path. */
export const FILE_VALUES: ReadonlySet<string> = new Set([
  "--file",
  "file",
  "--config-file",
  "--ca-cert-file",
  "--client-cert-file",
  "--client-key-file",
  "--cert-file",
  "--key-file",
  "--signing-key-path",
  "--dataplane-file",
  "--dataplane-token-file",
  "--binary-path",
  "--data",
  "--work-dir",
  "--settings",
  "--encryption-key-file",
  "--tls-cert-file",
  "--tls-key-file",
]);

const MOST_NAMES = 200;

/** Values that the control plane or the configuration file knows, for an argument or flag. */
export async function liveValues(of: string, around: Surroundings): Promise<readonly Candidate[]> {
  switch (of) {
    case "type":
      return (await listTypes(around.api)).map(({ path, singular }) => ({ value: path, meaning: singular }));
    case "name":
      return around.given[0] === undefined ? namesOf("dataplanes", around) : namesOf(around.given[0], around);
    case "--to":
      return around.command === "ca" ? backendsOf(around) : namesOf("dataplanes", around);
    case "dataplane":
    case "--from":
      return namesOf("dataplanes", around);
    case "--identity":
      return namesOf("meshidentities", around);
    case "--mesh":
      return namesOf("meshes", around);
    case "--control-plane":
    case "--context":
    case "--name":
      return around.profiles.profiles.map(({ name, address }) => ({ value: name, meaning: address }));
    default:
      return [];
  }
}

async function backendsOf({ api, mesh }: Surroundings): Promise<readonly Candidate[]> {
  const path = pathOf("meshes", mesh);
  const { mtls } = record(await api.json({ path, action: `look up mesh "${mesh}"` }));
  const backends = records(record(mtls)["backends"]);
  return backends.map(({ name, type }) => ({ value: text(name) ?? "", meaning: text(type) ?? "" }));
}

async function namesOf(word: string, { api, mesh }: Surroundings): Promise<readonly Candidate[]> {
  const type = await resolveType(await listTypes(api), word);
  const call = { path: resourcePath(type, mesh), action: `list ${type.plural}` };
  const { items } = await readPages(api, call, { size: MOST_NAMES });
  return items.map((item) => ({ value: text(record(item)["name"]) ?? "", meaning: type.singular }));
}
