import { searchEnvoy, SUPPORTED_MINORS, type Envoy } from "./envoy-search.mjs";

export type { Envoy };

/**
 * The Envoy that a sidecar here is to run, with its version: HEDDLE_ENVOY, else a supported one on PATH, else the
 * fetched one. Fails with a text for the user when there is none, or when HEDDLE_ENVOY names something else.
 */
export async function findEnvoy(env: NodeJS.ProcessEnv = process.env): Promise<Envoy> {
  const envoy = await searchEnvoy(env);
  if (envoy !== undefined) return envoy;
  const [oldest, newest] = SUPPORTED_MINORS;
  throw new Error(
    `Cannot find Envoy: none of version 1.${oldest} to 1.${newest} is on PATH, and none was fetched; ` +
      "run `npm run setup` in the clone to fetch one, or name a binary in HEDDLE_ENVOY",
  );
}
