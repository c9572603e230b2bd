import type { EncryptionPort, EncryptionReport } from "@heddle/api/ports.ts";
import type { EncryptionState, StoreEncryption } from "./open-store.ts";

/** What protects the store, as the REST API sees it. A rotation goes on when nobody follows it any more. */
export function encryptionPort(encryption: StoreEncryption): EncryptionPort {
  return {
    report: () => reportOf(encryption.state()),
    rotate: () => follow(encryption),
  };
}

async function* follow(encryption: StoreEncryption): AsyncGenerator<EncryptionReport> {
  let latest: EncryptionReport = reportOf(encryption.state());
  let wake: () => void = () => undefined;
  let isOver = false;
  const rotation = encryption
    .rotate(({ done, total }) => {
      latest = { ...reportOf(encryption.state()), rows: { done, total } };
      wake();
    })
    .finally(() => {
      isOver = true;
      wake();
    });
  // Whoever follows is told below; nobody may follow to the end.
  rotation.catch(() => undefined);
  for (let told: EncryptionReport = latest; !isOver;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    if (told === latest) await promise;
    told = latest;
    if (told.rows !== undefined && !isOver) yield told;
  }
  const state = await rotation;
  yield { ...latest, ...reportOf(state), done: true };
}

function reportOf({ keyId, use, place }: EncryptionState): EncryptionReport {
  return { keyId, use, place };
}
