import { LaunchError } from "../launch-error.ts";
import type { Answer } from "./post-json.ts";

/** Says what went wrong on the way to the control plane; `final`: trying again changes nothing. */
export interface ExplainedFailure {
  readonly error: LaunchError;
  readonly final: boolean;
}

/** Node's names for certificates that no trusted authority signed. */
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
]);

const START_IT = "Start it with `heddle cp run`, or say where it is with --cp-address";

/** Explains why no answer came. `ownAuthority`: the user named the authority to trust. */
export function explainError(cause: unknown, url: string, ownAuthority: boolean): ExplainedFailure {
  const code = codeOf(cause);
  if (UNTRUSTED.has(code)) return untrusted(url, ownAuthority, cause);
  const mistake = certificateMistake(code, url, cause);
  if (mistake !== undefined) return { error: mistake, final: true };
  const { state, next } = unreachable(code, url, cause);
  const error = new LaunchError("unreachable", `Cannot reach the control plane at "${url}": ${state}`, { next, cause });
  return { error, final: code === "EPROTO" };
}

function untrusted(url: string, ownAuthority: boolean, cause: unknown): ExplainedFailure {
  const state = ownAuthority
    ? "its certificate is not signed by the authority in --ca-cert-file"
    : "its certificate is signed by no authority that this machine trusts (control planes sign their own)";
  const error = new LaunchError("untrusted", `Cannot trust the control plane at "${url}": ${state}`, {
    next: [
      ownAuthority
        ? "Take the control plane's own authority for --ca-cert-file; a wrong address gives this too"
        : "Name its authority with --ca-cert-file: ca.pem in the data folder of the control plane",
      "For a trial only: --skip-verify",
    ],
    cause,
  });
  return { error, final: true };
}

function certificateMistake(code: string, url: string, cause: unknown): LaunchError | undefined {
  const message = (state: string): string => `Cannot trust the control plane at "${url}": ${state}`;
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return new LaunchError("untrusted", message(`its certificate is for other names (${(cause as Error).message})`), {
        next: [
          "Use a name that stands in the certificate as --cp-address, or give the control plane a certificate with this one",
        ],
        cause,
      });
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return new LaunchError(
        "untrusted",
        message(code === "CERT_HAS_EXPIRED" ? "its certificate has expired" : "its certificate is not valid yet"),
        {
          next: [
            `Compare the clocks: it is ${new Date().toISOString()} here`,
            "Or renew the control plane's certificate",
          ],
          cause,
        },
      );
    default:
      return undefined;
  }
}

function unreachable(
  code: string,
  url: string,
  cause: unknown,
): { readonly state: string; readonly next: readonly string[] } {
  const { hostname, port } = new URL(url);
  switch (code) {
    case "ECONNREFUSED":
      return { state: "nobody listens there", next: [START_IT] };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { state: `the name "${hostname}" is not known`, next: ["Check --cp-address, and this machine's DNS"] };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { state: "there is no way to that host", next: ["Check --cp-address and the network"] };
    case "EPROTO":
      return {
        state: "what listens there does not speak TLS",
        next: [`Check the port ${port || "443"}: the data plane server has 5678, not 5681`],
      };
    case "ECONNRESET":
      return { state: "it closed the connection", next: [START_IT] };
    default:
      return { state: cause instanceof Error ? cause.message : String(cause), next: [START_IT] };
  }
}

/** Explains an answer that is no bootstrap. 422 and 400 speak of the request itself, so does a refused token. */
export function explainAnswer(answer: Answer, url: string, ownAuthority: boolean): ExplainedFailure {
  const { action, state, next } = meaningOf(answer.status, ownAuthority);
  const error = new LaunchError("refused", `Cannot ${action} at "${url}": ${state}`, {
    details: reasons(answer.text),
    next,
  });
  return { error, final: [400, 401, 403, 422].includes(answer.status) };
}

interface Meaning {
  readonly action: "join the mesh" | "get a bootstrap";
  readonly state: string;
  readonly next: readonly string[];
}

const TAKE_TOKEN =
  "Take a token of this mesh and name: heddle generate dataplane-token --mesh <mesh> --name <name> > token, then --dataplane-token-file=token";
const CHECK_PORT = "Check that --cp-address is the data plane server's, port 5678";

function meaningOf(status: number, ownAuthority: boolean): Meaning {
  switch (status) {
    case 401:
    case 403:
      return { action: "join the mesh", state: "the token is refused", next: [TAKE_TOKEN] };
    case 422:
      return {
        action: "join the mesh",
        state: "the request is refused",
        next: [TAKE_TOKEN, "Check mesh, name and fields of the Dataplane"],
      };
    case 400:
      return {
        action: "get a bootstrap",
        state: "the request is refused",
        next: ownAuthority
          ? ["Check that --cp-address is a name in the control plane's certificate"]
          : ["Name the control plane's authority with --ca-cert-file, so that Envoy can trust it too"],
      };
    case 404:
      return {
        action: "get a bootstrap",
        state: "the control plane knows no such proxy",
        next: ["Create the Dataplane first (heddle apply -f dp.yaml), or bring it with --dataplane-file", CHECK_PORT],
      };
    default:
      return {
        action: "get a bootstrap",
        state: `the control plane failed (HTTP ${status})`,
        next: ["Look into the control plane's log"],
      };
  }
}

/** The control plane's own words: a text, or Kuma's error object with its violations. At most ten short lines. */
function reasons(text: string): readonly string[] {
  return lines(text)
    .map((line) => line.trim().slice(0, 500))
    .filter((line) => line !== "")
    .slice(0, 10);
}

function lines(text: string): readonly string[] {
  try {
    const body = JSON.parse(text) as { title?: unknown; detail?: unknown; invalid_parameters?: unknown } | null;
    if (typeof body === "object" && body !== null) {
      const fields = Array.isArray(body.invalid_parameters)
        ? (body.invalid_parameters as { field?: unknown; reason?: unknown }[])
        : [];
      return [
        body.title,
        body.detail,
        ...fields.map(({ field, reason }) => `${String(field)}: ${String(reason)}`),
      ].filter((each) => typeof each === "string");
    }
  } catch {
    // A text then, as Kuma sends it from this server.
  }
  return text.split("\n");
}

function codeOf(cause: unknown): string {
  // Several addresses were tried: the first one's error stands for all.
  const one = cause instanceof AggregateError ? cause.errors[0] : cause;
  const code = (one as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string") return "";
  return code.startsWith("ERR_SSL_") ? "EPROTO" : code;
}
