import { identityOf, type ProxyIdentity } from "@heddle/engine/snapshot/identity.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Held } from "../identity/certificates.ts";
import type { MeshRuntime } from "../mesh/mesh-runtime.ts";
import type { Behind } from "../mesh/mesh-trust.ts";
import type { Rotated } from "./record.ts";

/** How far something has come at proxies that are there: all of them, and those that it has not reached. */
export interface Reach {
  readonly proxies: number;
  readonly behind: readonly Behind[];
}

/** Who has acknowledged what the mesh trusts now. */
export function trustReach(runtime: MeshRuntime): Reach {
  return { proxies: identities(runtime).length, behind: [...runtime.behindInTrust()] };
}

/** Who has a certificate that ends in these roots, among the proxies that are to have one. */
export function certificateReach(runtime: MeshRuntime, rotated: Rotated, newRoots: readonly string[]): Reach {
  const wanted = contentHash(newRoots.join(""));
  const concerned = identities(runtime).filter(([, identity]) => isConcerned(identity, rotated));
  const behind = concerned.flatMap(([name, identity]): Behind[] => {
    const reason = lag(runtime, { name, identity, wanted });
    return reason === undefined ? [] : [{ name, reason }];
  });
  return { proxies: concerned.length, behind };
}

/** Proxies, also those that are away, whose certificate of the old authority has not ended. */
export function oldHolders(
  runtime: MeshRuntime,
  { rotated, newRoots }: { readonly rotated: Rotated; readonly newRoots: readonly string[] },
  now: Date,
): readonly string[] {
  const wanted = contentHash(newRoots.join(""));
  const isOld = (held: Held): boolean =>
    rotated.what === "backend"
      ? held.issuer === rotated.from
      : held.issuer === issuerOf(runtime, rotated) && held.roots !== wanted;
  return [...runtime.certificates].flatMap(([name, held]) => {
    // Sent is not taken over: a frozen proxy shows what it had before.
    const shown = runtime.unacknowledged.get(name)?.shown;
    const isHolder = [held, ...(shown === undefined ? [] : [shown])].some((each) => each.notAfter > now && isOld(each));
    return isHolder ? [name] : [];
  });
}

/** Proxies that are there, or expected back, and who they are. */
function identities(runtime: MeshRuntime): readonly (readonly [name: string, identity: ProxyIdentity])[] {
  const { snapshot, proxies } = runtime;
  return [...snapshot.dataplanes].flatMap(([name, { facts, resource }]) => {
    const identity = facts.online || proxies.has(name) ? identityOf(snapshot, resource) : undefined;
    return identity === undefined ? [] : [[name, identity] as const];
  });
}

function isConcerned({ issuer }: ProxyIdentity, rotated: Rotated): boolean {
  switch (rotated.what) {
    case "root":
      return issuer.by === "Mesh" && issuer.backend === rotated.backend;
    case "backend":
      return issuer.by === "Mesh";
    case "identity":
      return issuer.by === "MeshIdentity" && issuer.resource.name === rotated.identity;
  }
}

function lag(
  runtime: MeshRuntime,
  { name, identity, wanted }: { readonly name: string; readonly identity: ProxyIdentity; readonly wanted: string },
): string | undefined {
  const proxy = runtime.proxies.get(name);
  const held = proxy?.held ?? runtime.certificates.get(name);
  if (held?.roots !== wanted)
    return proxy === undefined ? "has lost its connection and is expected back" : (identity.problem ?? NOT_YET);
  // One that is away has it, or gets another one as it returns.
  if (proxy === undefined) return undefined;
  const acknowledged = proxy.acknowledgedSet?.get(TYPE_URL.secret)?.get(identity.tls.identitySecret);
  return acknowledged?.version === held.secret.version ? undefined : "has not acknowledged its new certificate";
}

const NOT_YET = "has no certificate of the new authority yet";

function issuerOf({ snapshot }: MeshRuntime, rotated: Exclude<Rotated, { what: "backend" }>): string {
  if (rotated.what === "root") return rotated.backend;
  const resource = snapshot.identities.get(rotated.identity);
  return resource === undefined ? "" : formatKri(kriOf("mid", resource));
}
