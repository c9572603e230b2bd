import { setTimeout } from "node:timers/promises";
import type { CertificateRequest } from "../../leaf.ts";
import { pemCertificates } from "../../pem-certificates.ts";
import { checkIssued, type Giver } from "../remote/issued-certificate.ts";
import type { RemoteAuthority, RemoteIssue } from "../remote/remote-authority.ts";
import type { MakeAuthority } from "../remote/remote-backend.ts";
import { requestedName } from "../remote/requested-name.ts";
import { signingRequest } from "../remote/signing-request.ts";
import { type AcmpcaClient, loadClient, MOST_AT_ONCE } from "./client.ts";
import { acmpcaFailure } from "./failure.ts";
import { issueInput } from "./issue-input.ts";
import type { AcmpcaSettings } from "./settings.ts";

/** An authority of AWS Private CA. Keys are made here; AWS gets requests to certify them. */
export function acmpcaAuthority(settings: AcmpcaSettings): MakeAuthority {
  return (): RemoteAuthority => {
    const loading = loadClient(settings);
    // Whoever uses it first is told.
    loading.catch(() => undefined);
    let issuer: string | undefined;
    const chain = async (): Promise<readonly string[]> => {
      const read = await readChain(await loading, settings);
      issuer = read[0];
      return read;
    };
    return {
      mostAtOnce: MOST_AT_ONCE,
      chain,
      issue: async (request) =>
        await issue(await loading, settings, { request, issuer: issuer ?? (await chain())[0] ?? "" }),
      close: () => void loading.then(({ client }) => client.destroy()).catch(() => undefined),
    };
  };
}

async function readChain({ sdk, client }: AcmpcaClient, settings: AcmpcaSettings): Promise<readonly string[]> {
  const read = new sdk.GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: settings.arn });
  return await within(settings.chainTimeout, "to read the certificate of the authority", async (abortSignal) => {
    const { Certificate = "", CertificateChain = "" } = await client.send(read, { abortSignal });
    return [Certificate, CertificateChain].flatMap(pemCertificates);
  });
}

async function issue(
  connected: AcmpcaClient,
  settings: AcmpcaSettings,
  { request, issuer }: { readonly request: CertificateRequest; readonly issuer: string },
): Promise<RemoteIssue> {
  const { sdk, client } = connected;
  const commonName = requestedName(settings.commonName, request);
  const { csr, keyPem } = await signingRequest({ uris: request.uris, commonName });
  const ask = new sdk.IssueCertificateCommand(issueInput(settings, request, { csr, issuer }));
  return await within(settings.issueTimeout, "to issue a certificate", async (abortSignal) => {
    const { CertificateArn } = await client.send(ask, { abortSignal });
    const fetch = { CertificateAuthorityArn: settings.arn, CertificateArn };
    const { certificate, chain } = await fetchIssued(connected, fetch, abortSignal);
    return { issued: checkIssued({ certificate, keyPem, chain }, request, AWS), chain };
  });
}

const FIRST_LOOK = 100;
const LONGEST_PAUSE = 2_000;

/** Issuing takes its time at AWS; nobody tells when it is done. */
async function fetchIssued(
  { sdk, client }: AcmpcaClient,
  asked: { readonly CertificateAuthorityArn: string; readonly CertificateArn: string | undefined },
  abortSignal: AbortSignal,
): Promise<{ readonly certificate: string; readonly chain: readonly string[] }> {
  for (let pause = FIRST_LOOK; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      const answer = await client.send(new sdk.GetCertificateCommand(asked), { abortSignal });
      return { certificate: answer.Certificate ?? "", chain: pemCertificates(answer.CertificateChain ?? "") };
    } catch (error) {
      if (!(error instanceof sdk.RequestInProgressException)) throw error;
    }
    await setTimeout(pause, undefined, { signal: abortSignal });
  }
}

async function within<T>(millis: number, what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(millis);
  try {
    return await run(signal);
  } catch (cause) {
    throw acmpcaFailure(cause, what, signal.aborted ? millis : undefined);
  }
}

const AWS: Giver = {
  name: "AWS Private CA",
  onMissingNames: "see what its template takes from requests",
  onMissingUsages: () => "see its template",
};
