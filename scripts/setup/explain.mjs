/**
 * What the output of npm or pip says about a failure: the state of things, and what to do about it.
 * @typedef {{ readonly state: string, readonly next: string }} Explanation
 */

const AGAIN = "then run the same command again";

/** The first that fits is taken: causes stand before the consequences that the tools print after them. */
const EXPLANATIONS = /** @type {readonly (Explanation & { readonly sign: RegExp })[]} */ ([
  {
    sign: /ENOSPC|No space left on device/i,
    state: "the disk is full",
    next: `Free about 1 GB where this clone and your home folder stand, ${AGAIN}.`,
  },
  {
    sign: /EACCES|EPERM|EROFS|Permission denied|Read-only file system/i,
    state: "this user may not write there",
    next: `Run as the user who owns this clone and its home folder (look for files of root in them), ${AGAIN}.`,
  },
  {
    sign: /SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|CERT_HAS_EXPIRED|CERTIFICATE_VERIFY_FAILED/i,
    state: "the package registry's certificate is not trusted here",
    next: `Where a proxy re-signs traffic, name its CA file in NODE_EXTRA_CA_CERTS and PIP_CERT, ${AGAIN}.`,
  },
  {
    sign: /THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY/i,
    state: "what was downloaded is not what this version of Heddle was tested with, so it was not installed",
    next: `Clear the caches (npm cache clean --force; python3 -m pip cache purge) or look at the mirror in between, ${AGAIN}.`,
  },
  {
    sign: /\bE40[137]\b|HTTP error 40[137]|\b40[137] Client Error/i,
    state: "the package registry refuses access",
    next: `Log in to the registry or proxy that npm and pip are configured with, ${AGAIN}.`,
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|ProtocolError|Temporary failure in name resolution|network is unreachable|idealTree.*timeout/i,
    state: "the package registry does not answer",
    next: `Check the network, or name your proxy in HTTPS_PROXY (a mirror: npm config set registry, pip config set global.index-url), ${AGAIN}.`,
  },
  {
    sign: /ETARGET|\bE404\b|No matching distribution found|Could not find a version/i,
    state: "the package registry does not have it for this machine",
    next: `Use a newer pip (python3 -m pip install --upgrade pip) or a registry mirror that is up to date, ${AGAIN}.`,
  },
  {
    sign: /No module named pip/i,
    state: "python3 has no pip",
    next: `Install it (Debian and Ubuntu: apt install python3-pip), ${AGAIN}.`,
  },
]);

/**
 * Finds the cause of a failed npm or pip run in what it printed.
 * @param {string} output
 * @returns {Explanation | undefined} undefined: none that is known
 */
export function explain(output) {
  return EXPLANATIONS.find(({ sign }) => sign.test(output));
}

/**
 * The explanation for any output, known or not.
 * @param {string} output
 * @returns {Explanation}
 */
export function explainOrQuote(output) {
  const quote = output.trimEnd().split("\n").at(-1)?.trim();
  return explain(output) ?? { state: quote || "it ended without a word", next: `See .tools/setup.log, ${AGAIN}.` };
}
