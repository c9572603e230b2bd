import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import { FILES, type WorkDir, writePrivate } from "./work-dir.ts";

/**
 * Writes the token where Envoy watches it, and the secret that points there. A copy, because Envoy only notices files
 * that are moved into place, while people write theirs with `>`, and with a line break at the end.
 */
export async function writeTokenFiles(workDir: WorkDir, token: string): Promise<void> {
  const filename = await writePrivate(workDir, FILES.token, token);
  const secret = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    name: TOKEN_SECRET.name,
    genericSecret: { secret: { filename } },
  };
  await writePrivate(workDir, FILES.tokenSecret, JSON.stringify({ resources: [secret] }));
}

/** Takes over what stands in the user's file by now; what cannot be read changes nothing. supervise.sh does the same. */
export async function renewToken(workDir: WorkDir, file: string): Promise<void> {
  const copy = join(workDir.path, FILES.token);
  const [token, known] = await Promise.all([file, copy].map((path) => readFile(path, "utf8").catch(() => "")));
  const renewed = token?.trim() ?? "";
  if (renewed === "" || renewed === known) return;
  await writePrivate(workDir, FILES.token, renewed);
}
