import { LABEL, type Labels } from "@heddle/model/labels.ts";
import { ClaimError, readText, readTextLists, type Payload } from "./claim-readers.ts";

/** What a data plane proxy may be. Empty parts leave the choice open; the mesh is always bound. */
export interface DataplaneClaims {
  readonly name: string;
  readonly mesh: string;
  /** Allowed values by tag. The proxy must have each of these tags, with allowed values only. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** "dataplane"; Kuma 2.x knows "ingress" and "egress" as well. Empty means "dataplane". */
  readonly type: string;
  readonly workload: string;
}

/** The claims as Kuma writes them: capitalised, because that is how Go names exported fields. */
export function dataplanePayload(claims: DataplaneClaims): Payload {
  return { Name: claims.name, Mesh: claims.mesh, Tags: claims.tags, Type: claims.type, Workload: claims.workload };
}

/** Reads Kuma's claims. Throws ClaimError. */
export function readDataplaneClaims(payload: Payload): DataplaneClaims {
  const mesh = readText(payload, "Mesh");
  if (mesh === "") throw new ClaimError('its claim "Mesh" is missing, so it is not a dataplane token');
  return {
    name: readText(payload, "Name"),
    mesh,
    tags: readTextLists(payload, "Tags"),
    type: readText(payload, "Type"),
    workload: readText(payload, "Workload"),
  };
}

/** A proxy that asks to be let in. */
export interface ProxyFacts {
  readonly mesh: string;
  readonly name: string;
  readonly type: "dataplane" | "ingress" | "egress";
  /** The tags of its inbounds, listeners or gateway (Kuma 2.x). */
  readonly tagSets: readonly Labels[];
  readonly labels: Labels;
  /** Whether its SPIFFE ID is made from its workload: then the token has to say which workload that may be. */
  readonly identityUsesWorkload: boolean;
}

/**
 * Why this proxy may not use a token with these claims, or undefined when it may. Kuma 2.x compares tags with the tags
 * of the inbounds, 3.x with labels; here a tag may stand in either, and all its values must be allowed.
 */
export function checkDataplaneClaims(claims: DataplaneClaims, proxy: ProxyFacts): string | undefined {
  const bound: readonly (readonly [string, string, string])[] = [
    ["mesh", claims.mesh, proxy.mesh],
    ["name", claims.name, proxy.name],
    ["proxy type", claims.type === "" ? "dataplane" : claims.type, proxy.type],
  ];
  const wrong = bound.find(([, allowed, actual]) => allowed !== "" && allowed !== actual);
  if (wrong !== undefined) return boundToOther(...wrong);
  return wrongTag(claims, proxy) ?? wrongWorkload(claims, proxy);
}

function wrongTag({ tags }: DataplaneClaims, proxy: ProxyFacts): string | undefined {
  for (const [tag, allowed] of Object.entries(tags)) {
    const actual = valuesOf(proxy, tag);
    if (actual.length === 0) return `the token requires the tag "${tag}", which the proxy does not have`;
    const forbidden = actual.find((value) => !allowed.includes(value));
    if (forbidden !== undefined) return boundToOther(`tag "${tag}"`, allowed.join(", "), forbidden);
  }
  return undefined;
}

function wrongWorkload({ workload }: DataplaneClaims, proxy: ProxyFacts): string | undefined {
  const actual = valuesIn(proxy.labels, LABEL.workload)[0];
  if (workload === "") {
    if (actual === undefined || !proxy.identityUsesWorkload) return undefined;
    return (
      `the token names no workload, but the proxy's identity is made from its workload "${actual}": ` +
      `issue the token with "--workload=${actual}"`
    );
  }
  return actual === workload ? undefined : boundToOther("workload", workload, actual ?? "");
}

function valuesOf(proxy: ProxyFacts, tag: string): readonly string[] {
  return [...proxy.tagSets, proxy.labels].flatMap((set) => valuesIn(set, tag));
}

function valuesIn(set: Labels, key: string): readonly string[] {
  const value = Object.hasOwn(set, key) ? set[key] : undefined;
  return value === undefined ? [] : [value];
}

function boundToOther(what: string, allowed: string, actual: string): string {
  return `the token is for ${what} "${allowed}", but the proxy has ${actual === "" ? "none" : `"${actual}"`}`;
}
