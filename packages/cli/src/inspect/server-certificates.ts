import type { Api } from "../api/api.ts";
import { RefusedError } from "../api/explain-refusal.ts";
import { list, record, texts } from "../json.ts";

/** What is wrong with the certificates of the control plane's own ports; nothing for those who may not know. */
export async function serverCertificateWarnings(api: Api): Promise<readonly string[]> {
  try {
    const answer = await api.json({ path: "/server-certificates", action: "look at the control plane's certificates" });
    return texts(list(record(answer)["warnings"]));
  } catch (error) {
    // An earlier control plane does not know the path.
    if (error instanceof RefusedError && [401, 403, 404].includes(error.status)) return [];
    throw error;
  }
}
