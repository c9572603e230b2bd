import { ConfigurationError } from "@heddle/control-plane/main.ts";
import { UsageError } from "./cli-error.ts";

/** Runs a control plane to its end. Settings that cannot be used are wrong usage, whichever of file, environment and flags has them. */
export async function startControlPlane(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const [sentence = "", ...details] = error.message.split("\n");
    throw new UsageError(sentence, { details: details.map((line) => line.trim()), cause: error });
  }
}
