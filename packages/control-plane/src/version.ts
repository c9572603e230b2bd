import packageJson from "../package.json" with { type: "json" };

/** The version of Heddle. */
export const VERSION: string = packageJson.version;
/** The version of Kuma whose API this is; kumactl and kuma-dp compare it with their own. */
export const BASED_ON_KUMA = "2.14.3";
/** Versions of Envoy that the emitted configuration is meant for. */
export const SUPPORTED_ENVOY: readonly string[] = ["1.36", "1.37", "1.38", "1.39", "1.40"];
