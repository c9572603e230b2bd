/** What stands in the place of a secret. */
const REDACTED = "[redacted]";

/** Three parts of base64url, of which the first two begin as JSON does: every token that Heddle issues, and most others. */
const JSON_WEB_TOKEN = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g;

/** An `authorization` header or metadata in JSON, as Envoy prints it, whatever its value is. */
const AUTHORIZATION = /("key":\s*"(?:proxy-)?authorization",\s*"(?:value|raw_value)":\s*")(?:[^"\\]|\\.)*/gi;

/**
 * An answer of Envoy's admin interface without credentials. Envoy redacts keys and secrets in dumps by itself, but not
 * the metadata of its stream to the control plane, and a bootstrap may hold the proxy's token there. Works on the text:
 * a dump of many megabytes is then a matter of milliseconds.
 */
export function withoutCredentials(text: string): string {
  return text.replace(AUTHORIZATION, `$1${REDACTED}`).replace(JSON_WEB_TOKEN, REDACTED);
}
