export {
  describeConfig,
  forgetSecrets,
  ignoredSettings,
  loadConfig,
  settings,
  type Sources,
} from "./config/load-config.ts";
export type { Config } from "./config/settings.ts";
