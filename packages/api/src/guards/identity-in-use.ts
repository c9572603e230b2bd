import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import type { MeshExternalServiceSpec } from "@heddle/model/kinds/mesh-external-service.ts";
import type { MeshTrustSpec } from "@heddle/model/kinds/mesh-identity.ts";
import { enabledBackend, type MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Reader, Verdict, Write, WriteGuard } from "../ports.ts";

/**
 * Says who still uses what a write takes away: certificates of Mesh.mtls, those of a MeshIdentity, or the authorities of
 * a MeshTrust. Nothing is refused, as Kuma refuses none of it.
 */
export const identityInUseGuard: WriteGuard = async (write, read): Promise<Verdict> => {
  if (write.operation === "create") return {};
  return { warnings: await warningsFor(write, read) };
};

async function warningsFor(write: Exclude<Write, { operation: "create" }>, read: Reader): Promise<readonly string[]> {
  const { previous } = write;
  if (previous === undefined) return [];
  if (write.operation === "update") return previous.type === "Mesh" ? await aboutMtls(write, previous, read) : [];
  if (previous.type === "MeshIdentity") return await aboutIdentity(previous, read);
  return previous.type === "MeshTrust" ? await aboutTrust(previous as Resource<MeshTrustSpec>, read) : [];
}

async function aboutMtls(
  { resource }: Extract<Write, { operation: "create" | "update" }>,
  previous: Resource,
  read: Reader,
): Promise<readonly string[]> {
  const before = previous.spec as MeshSpec;
  if (enabledBackend(before) === undefined || enabledBackend(resource.spec as MeshSpec) !== undefined) return [];
  const backends = new Set(before.mtls?.backends?.map(({ name }) => name));
  const holders = await proxiesWith((backend) => backends.has(backend), previous.name, read);
  if (holders === undefined) return [];
  return [
    `mtls: ${holders} still show certificates of it, which nobody accepts from now on: without a MeshIdentity they speak ` +
      "plain text, and requests fail while the others get theirs",
  ];
}

async function aboutIdentity(identity: Resource, read: Reader): Promise<readonly string[]> {
  const kri = formatKri(kriOf("mid", identity));
  const holders = await proxiesWith((backend) => backend === kri, identity.mesh, read);
  if (holders === undefined) return [];
  const mesh = await read.get({ type: "Mesh", mesh: "", name: identity.mesh });
  const others = await read.list({ type: "MeshIdentity", mesh: identity.mesh, size: 1, where: isNot(identity) });
  const hasOther = others.total > 0 || enabledBackend((mesh?.spec ?? {}) as MeshSpec) !== undefined;
  const next = hasOther
    ? "they change over to what else gives them an identity; keep its MeshTrust until they have"
    : "nothing else gives them an identity, so they speak plain text from now on";
  return [`${holders} still have their identity from it: ${next}`];
}

async function aboutTrust(trust: Resource<MeshTrustSpec>, read: Reader): Promise<readonly string[]> {
  const { trustDomain } = trust.spec;
  const { mesh } = trust;
  const others = await read.list({
    type: "MeshTrust",
    mesh,
    size: 1,
    where: (each) => isNot(trust)(each) && (each.spec as MeshTrustSpec).trustDomain === trustDomain,
  });
  const prefix = `spiffe://${trustDomain}/`;
  const [services, identity] = await Promise.all([
    named(read, { type: "MeshExternalService", mesh, where: ({ spec }) => callsInto(spec, prefix) }),
    read.get({ type: "MeshIdentity", mesh, name: trust.name }),
  ]);
  const kri = identity === undefined ? undefined : formatKri(kriOf("mid", identity));
  const holders = kri === undefined ? undefined : await proxiesWith((backend) => backend === kri, mesh, read);
  const what = others.total > 0 ? "this authority" : `trust domain "${trustDomain}"`;
  return [
    ...(holders === undefined
      ? []
      : [`${holders} still have an identity for which ${what} is needed: they are refused once it is gone`]),
    ...(services === undefined || others.total > 0
      ? []
      : [`${services} leads to ${what}: requests to it are answered with 503 from now on`]),
  ];
}

function callsInto(spec: unknown, prefix: string): boolean {
  const { tls } = spec as MeshExternalServiceSpec;
  return (
    tls?.meshIdentity === true &&
    (tls.verification?.subjectAltNames ?? []).some(({ value }) => value.startsWith(prefix))
  );
}

function isNot({ name }: Resource): (each: Resource) => boolean {
  return (each) => each.name !== name;
}

async function proxiesWith(
  isMeant: (backend: string) => boolean,
  mesh: string,
  read: Reader,
): Promise<string | undefined> {
  const where = ({ spec }: Resource): boolean => {
    const insight = spec as DataplaneInsightSpec;
    return isOnline(insight) && isMeant(insight.mTLS?.issuedBackend ?? "");
  };
  const names = await named(read, { type: "DataplaneInsight", mesh, where });
  return names?.replace("DataplaneInsight", "proxies");
}

/** Such as "MeshExternalService a, b and 3 more"; undefined when there is none. */
async function named(
  read: Reader,
  query: { readonly type: string; readonly mesh: string; readonly where: (each: Resource) => boolean },
): Promise<string | undefined> {
  const { items, total } = await read.list({ ...query, size: 3 });
  if (total === 0) return undefined;
  const more = total > items.length ? ` and ${total - items.length} more` : "";
  return `${query.type} ${items.map(({ name }) => name).join(", ")}${more}`;
}
