import { SetupError } from "./setup-error.mjs";

/**
 * What this machine is, as far as the binaries of Node 26 and Envoy care.
 * @typedef {{ readonly platform: string, readonly arch: string, readonly glibc: string | undefined }} Machine
 */

/** @returns {Machine} */
export function thisMachine() {
  // The report is typed as a bare object; on musl the field is absent.
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return { platform: process.platform, arch: process.arch, glibc: report.header.glibcVersionRuntime };
}

/**
 * Refuses machines for which nobody publishes an Envoy and a Node 26 binary, before anything is fetched.
 * @param {Machine} machine
 */
export function checkMachine({ platform, arch, glibc }) {
  if (platform !== "linux" || !["x64", "arm64"].includes(arch)) {
    throw new SetupError(
      `Cannot set up on ${platform} ${arch}: Envoy and Node come as binaries for linux x64 and linux arm64`,
      "Use a Linux machine, virtual machine or container of one of these two.",
    );
  }
  if (glibc === undefined) {
    throw new SetupError(
      "Cannot set up on this Linux: it has no glibc, and the binaries of Envoy and Node need it",
      "Use a distribution with glibc 2.31 or newer, such as Debian, Ubuntu or Fedora, instead of Alpine.",
    );
  }
  if (!isAtLeast(glibc, [2, 31])) {
    throw new SetupError(
      `Cannot set up on this Linux: its glibc is ${glibc}, and the binary of Envoy needs 2.31`,
      "Use a newer distribution, such as Debian 11, Ubuntu 20.04 or anything after them.",
    );
  }
}

/**
 * @param {string} version such as "2.36"
 * @param {readonly [number, number]} least major and minor
 */
function isAtLeast(version, [leastMajor, leastMinor]) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
