import type { Api } from "../api/api.ts";
import { readPages } from "../api/pages.ts";
import { listTypes, resolveType, resourcePath } from "../api/resource-types.ts";
import { record, text } from "../json.ts";
import type { Profiles } from "../profiles/profile.ts";
import type { Candidate } from "./candidates.ts";

/** What live values are looked up with. */
export interface Surroundings {
  readonly api: Api;
  readonly profiles: Profiles;
  readonly mesh: string;
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
]);

const MOST_NAMES = 200;

/** Values that the control plane or the configuration file knows, for an argument or flag. */
export async function liveValues(of: string, around: Surroundings): Promise<readonly Candidate[]> {
  switch (of) {
    case "type":
      return (await listTypes(around.api)).map(({ path, singular }) => ({ value: path, meaning: singular }));
    case "name":
      return around.given[0] === undefined ? namesOf("dataplanes", around) : namesOf(around.given[0], around);
    case "dataplane":
    case "--from":
    case "--to":
      return namesOf("dataplanes", around);
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

async function namesOf(word: string, { api, mesh }: Surroundings): Promise<readonly Candidate[]> {
  const type = await resolveType(await listTypes(api), word);
  const call = { path: resourcePath(type, mesh), action: `list ${type.plural}` };
  const { items } = await readPages(api, call, { size: MOST_NAMES });
  return items.map((item) => ({ value: text(record(item)["name"]) ?? "", meaning: type.singular }));
}
