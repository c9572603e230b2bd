import { pemCertificates } from "../../pem-certificates.ts";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import type { RemoteAuthority } from "../remote/remote-authority.ts";
import type { MakeAuthority } from "../remote/remote-backend.ts";
import { connectVault, MOST_AT_ONCE, type VaultConnection } from "./connection.ts";
import { chainOf, issuedSchema, issueRequest, readIssued } from "./issue.ts";
import { VaultSession } from "./session.ts";
import type { VaultSettings } from "./settings.ts";

/** An authority in Vault's PKI engine. */
export function vaultAuthority(settings: VaultSettings): MakeAuthority {
  return (onLost): RemoteAuthority => {
    const connection = connectVault(settings);
    const session = new VaultSession(connection, settings, onLost);
    return {
      mostAtOnce: MOST_AT_ONCE,
      issue: async (request) => {
        const answer = await session.json(issueRequest(settings, request), issuedSchema);
        return { issued: readIssued(answer, request), chain: chainOf(answer) };
      },
      chain: async () => {
        await session.check();
        return await readChain(connection, settings);
      },
      close: () => {
        session.close();
        connection.close();
      },
    };
  };
}

async function readChain(
  connection: VaultConnection,
  { pki, chainTimeout: timeoutMillis }: VaultSettings,
): Promise<readonly string[]> {
  const what = `to read the certificate authority of "${pki}"`;
  const read = async (path: string): Promise<readonly string[]> =>
    pemCertificates(await connection.text({ method: "GET", path: `${pki}/${path}`, timeoutMillis, what }));
  const chain = await read("ca_chain");
  // Older versions of Vault have no chain for an engine whose own authority is the root.
  const known = chain.length > 0 ? chain : await read("ca/pem");
  if (known.length > 0) return known;
  const message = `The PKI engine "${pki}" of Vault has no certificate authority; give it one`;
  throw new AuthorityFailure("unavailable", message);
}
