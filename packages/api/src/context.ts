import type { Authorizer } from "./access/authorizer.ts";
import type { Ports } from "./ports.ts";
import type { Judge } from "./resources/judge.ts";
import type { ApiSettings } from "./settings.ts";

/** What routes are made from. */
export interface Context {
  readonly ports: Ports;
  readonly settings: ApiSettings;
  readonly judge: Judge;
  readonly authorizer: Authorizer;
}
