import { isSelfSigned, pemCertificates } from "./pem-certificates.ts";

/** A certificate that proxies trust; one that signs no more is trusted until the last certificate of it has ended. */
export interface TrustedRoot {
  readonly pem: string;
  readonly until?: Date | undefined;
}

/** What is trusted once these sign: they, and those before them for as long as a certificate of theirs may be alive. */
export function nextRoots(
  known: readonly TrustedRoot[],
  current: readonly string[],
  { now, lifeMillis }: { readonly now: Date; readonly lifeMillis: number },
): readonly TrustedRoot[] {
  const end = new Date(now.getTime() + lifeMillis);
  const retired = known
    .filter(({ pem }) => !current.includes(pem))
    .map(({ pem, until = end }) => ({ pem, until }))
    .filter(({ until }) => until > now);
  return [...current.map((pem) => ({ pem })), ...retired];
}

/** As text: PEM, with a line of explanation before those that are trusted for a while only. */
export function formatRoots(roots: readonly TrustedRoot[]): string {
  return roots
    .map(({ pem, until }) => `${until === undefined ? "" : `${UNTIL}${until.toISOString()}\n`}${pem}`)
    .join("");
}

/** Reads what `formatRoots` wrote; a block that says nothing else signs now. */
export function parseRoots(text: string): readonly TrustedRoot[] {
  return text.split(/(?<=-----END CERTIFICATE-----\n)/).flatMap((block) => {
    const [pem] = pemCertificates(block);
    const until = /^# trusted until (\S+)$/m.exec(block)?.[1];
    if (pem === undefined) return [];
    return [until === undefined ? { pem } : { pem, until: new Date(until) }];
  });
}

/** The end of a chain, which is what others must trust: its root, or the last one when the root is not in it. */
export function anchorsOf(chain: readonly string[]): readonly string[] {
  const roots = chain.filter(isSelfSigned);
  return roots.length > 0 ? roots : chain.slice(-1);
}

const UNTIL = "# trusted until ";
