import { BlockList, isIP } from "node:net";

const LONGEST_ANSWER_BYTES = 256 * 1024;
const TIMEOUT_MILLIS = 5_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Why an URL cannot be an OpenID Connect issuer (OpenID Connect Discovery 1.0, section 3), or undefined when it can. */
export function whyNoIssuer(issuer: string): string | undefined {
  if (!URL.canParse(issuer)) return "it must be an URL such as https://login.example.com";
  const url = new URL(issuer);
  if (!isSafe(url)) return "it must be https; http is for issuers on this machine alone";
  if (url.search !== "" || url.hash !== "" || issuer.includes("?") || issuer.includes("#"))
    return "it must have neither query nor fragment";
  return url.username === "" && url.password === "" ? undefined : "it must hold no user name and no password";
}

/** Where the issuer publishes its keys, by its discovery document. Throws an Error that says what is wrong with it. */
export async function findKeysUrl(issuer: string): Promise<URL> {
  const address = new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const document = await readJson(address);
  // The very text: a document that was meant for another issuer must not stand in for this one.
  if (document["issuer"] !== issuer) throw new Error(`${address.href} describes another issuer`);
  const keys = document["jwks_uri"];
  const url = typeof keys === "string" && URL.canParse(keys) ? new URL(keys) : undefined;
  // An issuer elsewhere must not make us look around on this machine.
  const isAllowed = url !== undefined && isSafe(url) && (url.protocol === "https:" || address.protocol === "http:");
  if (!isAllowed) throw new Error(`${address.href} names no jwks_uri that is https`);
  return url;
}

/** The JSON object at an address. Follows no redirects, and reads no more than an honest issuer writes. */
export async function readJson(url: URL): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MILLIS) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url.href} answers with status ${response.status}`);
  }
  const parsed: unknown = JSON.parse(await shortText(response, url));
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw new Error(`${url.href} answers with something else than a JSON object`);
}

async function shortText(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > LONGEST_ANSWER_BYTES)
      throw new Error(`${url.href} answers with more than ${LONGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === "https:") return true;
  const host = hostname.replaceAll(/[[\]]/g, "");
  const family = isIP(host);
  const isLocal = host === "localhost" || (family !== 0 && LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6"));
  return protocol === "http:" && isLocal;
}
