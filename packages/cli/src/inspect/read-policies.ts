import { pathOf, type Api } from "../api/api.ts";
import { record, records, text } from "../json.ts";

/** What one type of policy says at one place of a proxy. */
export interface PlacedPolicy {
  /** "whole proxy", or the KRI of an inbound or outbound. */
  readonly place: string;
  readonly kind: string;
  readonly conf: unknown;
  /** KRIs of the policies. */
  readonly origins: readonly string[];
}

/** The policies at the proxy as a whole and at each of its inbounds and outbounds. */
export async function readPolicies(api: Api, mesh: string, name: string): Promise<readonly PlacedPolicy[]> {
  const base = pathOf("meshes", mesh, "dataplanes", name);
  const action = `inspect the policies of Dataplane ${mesh}/${name}`;
  const layout = record(await api.json({ path: `${base}/_layout`, action }));
  const places = [
    { place: "whole proxy", path: `${base}/_policies` },
    ...krisIn(layout["inbounds"]).map((kri) => ({
      place: kri,
      path: `${base}${pathOf("_inbounds", kri, "_policies")}`,
    })),
    ...krisIn(layout["outbounds"]).map((kri) => ({
      place: kri,
      path: `${base}${pathOf("_outbounds", kri, "_policies")}`,
    })),
  ];
  const found: PlacedPolicy[] = [];
  // One after the other: a proxy with a thousand outbounds is no reason for a thousand connections.
  for (const { place, path } of places) found.push(...parsePolicies(place, await api.json({ path, action })));
  return found;
}

/** Reads an answer of `_policies`; an inbound's has rules for callers instead of one conf. */
export function parsePolicies(place: string, answer: unknown): readonly PlacedPolicy[] {
  return records(record(answer)["policies"]).map((entry) => ({
    place,
    kind: text(entry["kind"]) ?? "",
    conf: entry["rules"] ?? entry["conf"],
    origins: krisIn(entry["origins"]),
  }));
}

function krisIn(entries: unknown): readonly string[] {
  return records(entries).flatMap(({ kri }) => text(kri) ?? []);
}
