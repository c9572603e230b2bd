import { join } from "node:path";

/** Kuma's name for a launcher that sends on what is written into the pipe, to the address that each line names. */
export const ACCESS_LOG_PIPE_FEATURE = "feature-tcp-accesslog-via-named-pipe";

/** The line that ends the sending: written by a launcher that is about to go. */
export const ACCESS_LOG_END = "end";

/** Where the pipe is, as kuma-dp and Kuma's control plane both work it out. */
export function accessLogPipe(
  workDir: string,
  { mesh, name }: { readonly mesh: string; readonly name: string },
): string {
  return `${join(workDir, `kuma-al-${name}-${mesh}`).slice(0, MAX_PATH)}.sock`;
}

const MAX_PATH = 98;
