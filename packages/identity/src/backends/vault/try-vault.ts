import { connectVault } from "./connection.ts";
import { VaultFailure } from "./failure.ts";
import { issuedSchema, issueRequest, readIssued } from "./issue.ts";
import { VaultSession } from "./session.ts";
import type { VaultSettings } from "./settings.ts";

/** Lives just long enough to be issued; it is thrown away. */
const TEST_SECONDS = 60;

/** Logs in and has a certificate issued, once. What is wrong with these settings, or undefined when nothing is. */
export async function tryVault(settings: VaultSettings, mesh: string): Promise<string | undefined> {
  const connection = connectVault(settings);
  const session = new VaultSession(connection, settings, () => undefined);
  const request = {
    uris: [`spiffe://${mesh}/heddle-test`, "kuma://kuma.io/service/heddle-test"],
    validitySeconds: TEST_SECONDS,
    usages: ["server", "client"],
    now: new Date(),
  } as const;
  try {
    await session.check();
    readIssued(await session.json(issueRequest(settings, request), issuedSchema), request);
    return undefined;
  } catch (error) {
    if (error instanceof VaultFailure) return error.message;
    // A file that is not there, or credentials that this machine does not have.
    return error instanceof Error ? error.message : String(error);
  } finally {
    session.close();
    connection.close();
  }
}
