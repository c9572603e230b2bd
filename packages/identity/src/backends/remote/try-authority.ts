import { AuthorityFailure } from "./authority-failure.ts";
import type { MakeAuthority } from "./remote-backend.ts";

/** Lives just long enough to be issued; it is thrown away. */
const TEST_SECONDS = 60;

/** Has a certificate issued, once. What is wrong with these settings, or undefined when nothing is. */
export async function tryAuthority(make: MakeAuthority, mesh: string): Promise<string | undefined> {
  const authority = make(() => undefined);
  try {
    await authority.chain();
    await authority.issue({
      uris: [`spiffe://${mesh}/heddle-test`, "kuma://kuma.io/service/heddle-test"],
      validitySeconds: TEST_SECONDS,
      usages: ["server", "client"],
      now: new Date(),
    });
    return undefined;
  } catch (error) {
    if (error instanceof AuthorityFailure) return error.message;
    // A file that is not there, or credentials that this machine does not have.
    return error instanceof Error ? error.message : String(error);
  } finally {
    authority.close();
  }
}
