import { Agent } from "node:https";
import type * as sdk from "@aws-sdk/client-acm-pca";
import type { AcmpcaSettings } from "./settings.ts";

/** AWS' client, and its commands. */
export interface AcmpcaClient {
  readonly sdk: typeof sdk;
  readonly client: sdk.ACMPCAClient;
}

/** AWS allows 25 certificates a second in a region; the requests of one take a tenth of a second or two. */
export const MOST_AT_ONCE = 4;

/** Loads AWS' client, so that only meshes with such an authority pay for it: 27 MB, a tenth of a second. */
export async function loadClient({ region, credentials, ca }: AcmpcaSettings): Promise<AcmpcaClient> {
  const loaded = await import("@aws-sdk/client-acm-pca");
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  const client = new loaded.ACMPCAClient({
    region,
    credentials: credentials ?? defaultProvider(),
    // It slows down by itself when AWS says that it is asked too often.
    retryMode: "adaptive",
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: MOST_AT_ONCE, ...(ca === undefined ? {} : { ca }) }),
    },
  });
  return { sdk: loaded, client };
}
