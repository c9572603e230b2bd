import type { CertificateRequest } from "../../leaf.ts";
import { pemCertificates } from "../../pem-certificates.ts";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import { chainIn, checkIssued, type Giver } from "../remote/issued-certificate.ts";
import type { RemoteAuthority, RemoteIssue } from "../remote/remote-authority.ts";
import type { MakeAuthority } from "../remote/remote-backend.ts";
import { requestedName } from "../remote/requested-name.ts";
import { signingRequest } from "../remote/signing-request.ts";
import { certificateRequest } from "./certificate-request.ts";
import { loadKubernetes, type RequestApi } from "./kubernetes.ts";
import { certificateRequestSchema, type RequestObject, requestStatus } from "./request-status.ts";
import type { CertmanagerSettings } from "./settings.ts";

/** Each is a connection that watches. */
const MOST_AT_ONCE = 8;
/** One that is issued to learn who signs lives no longer than needed. */
const TEST_SECONDS = 3_600;

/** An issuer of cert-manager. Keys are made here; cert-manager gets CertificateRequests, which are deleted afterwards. */
export function certmanagerAuthority(settings: CertmanagerSettings): MakeAuthority {
  return (): RemoteAuthority => {
    const loading = loadKubernetes();
    // Whoever uses it first is told.
    loading.catch(() => undefined);
    let known: readonly string[] = settings.ca === undefined ? [] : pemCertificates(settings.ca);
    const issue = async (request: CertificateRequest): Promise<RemoteIssue> => {
      const given = await issueBy(await loading, settings, request);
      known = given.chain;
      return given;
    };
    return {
      mostAtOnce: MOST_AT_ONCE,
      issue,
      chain: async () => {
        // Only a certificate tells who signs.
        if (known.length === 0) return (await issue(learning(settings))).chain;
        const signal = AbortSignal.timeout(settings.chainTimeout);
        await (await loading).list(signal);
        return known;
      },
      close: () => undefined,
    };
  };
}

function learning({ mesh }: CertmanagerSettings): CertificateRequest {
  const uris = [`spiffe://${mesh}/heddle-test`];
  return { uris, validitySeconds: TEST_SECONDS, usages: ["server", "client"], now: new Date() };
}

async function issueBy(
  api: RequestApi,
  settings: CertmanagerSettings,
  request: CertificateRequest,
): Promise<RemoteIssue> {
  const names = {
    uris: request.uris,
    commonName: requestedName(settings.commonName, request),
    dnsNames: settings.dnsNames.flatMap((template) => requestedName(template, request) ?? []),
  };
  const { csr, keyPem } = await signingRequest(names);
  const { certificate, ca } = await ask(api, settings, certificateRequest(settings.issuerRef, request, csr));
  const [leaf = "", ...above] = chainIn([certificate], CERT_MANAGER.name);
  // Some issuers tell their chain behind the certificate, some as the authority, some both.
  const chain = [...new Set([...above, ...chainIn([settings.ca ?? ca ?? ""], CERT_MANAGER.name)])];
  if (chain.length === 0) throw new AuthorityFailure("unavailable", NOBODY);
  return { issued: checkIssued({ certificate: leaf, keyPem, chain }, request, CERT_MANAGER), chain };
}

async function ask(
  api: RequestApi,
  { issueTimeout }: CertmanagerSettings,
  request: object,
): Promise<{ readonly certificate: string; readonly ca: string | undefined }> {
  const signal = AbortSignal.timeout(issueTimeout);
  let waitsFor = "";
  let name: string | undefined;
  try {
    let object = certificateRequestSchema.parse(await api.create(request, signal));
    ({ name } = object.metadata);
    for (;;) {
      const status = requestStatus(object);
      if (status.state === "issued") return status;
      if (status.state === "failed") throw new AuthorityFailure("refused", `cert-manager refuses: ${status.message}`);
      waitsFor = status.message;
      object = await next(api, { object, onPending: (message) => (waitsFor = message) }, signal);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
    const state = `no certificate within ${issueTimeout} ms${waitsFor === "" ? "" : ` (${waitsFor})`}`;
    throw new AuthorityFailure("unavailable", `cert-manager does not issue: ${state}`, { cause });
  } finally {
    if (name !== undefined) await remove(api, name);
  }
}

/** The object once it is another than this one. */
async function next(
  api: RequestApi,
  { object: before, onPending }: { readonly object: RequestObject; readonly onPending: (message: string) => void },
  signal: AbortSignal,
): Promise<RequestObject> {
  const { name, resourceVersion: version } = before.metadata;
  let after: RequestObject | undefined;
  const onObject = (object: unknown): "over" | "goes on" => {
    after = certificateRequestSchema.parse(object);
    const status = requestStatus(after);
    if (status.state !== "pending") return "over";
    onPending(status.message);
    return "goes on";
  };
  await api.follow({ name, version }, onObject, signal);
  return after ?? certificateRequestSchema.parse(await api.read(name, signal));
}

const REMOVAL_MILLIS = 2_000;

/** One that stays is nobody's harm, but a control plane that may not delete would leave thousands. */
async function remove(api: RequestApi, name: string): Promise<void> {
  try {
    await api.remove(name, AbortSignal.timeout(REMOVAL_MILLIS));
  } catch (error) {
    if (error instanceof AuthorityFailure && error.kind === "denied") throw error;
  }
}

const NOBODY = "cert-manager tells no authority with its certificates; write the root to conf.caCert";
const CERT_MANAGER: Giver = {
  name: "cert-manager",
  onMissingNames: "the issuer must take names of requests as they are",
  onMissingUsages: () => "the issuer must take usages of requests as they are",
};
