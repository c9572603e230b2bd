import type { TargetPlan } from "./target.ts";
import { DISCOVERY_TARGETS } from "./targets/discovery.ts";
import { DOCUMENT_TARGETS } from "./targets/documents.ts";
import { IDENTITY_TARGETS } from "./targets/identity.ts";
import { PROXY_TARGETS } from "./targets/proxies.ts";
import { RESOURCE_TARGETS } from "./targets/resources.ts";
import { SERVER_TARGETS } from "./targets/servers.ts";
import { WORD_TARGETS } from "./targets/words.ts";

/** Everything that reads what comes from outside. */
export const TARGETS: readonly TargetPlan[] = [
  ...DOCUMENT_TARGETS,
  ...RESOURCE_TARGETS,
  ...WORD_TARGETS,
  ...IDENTITY_TARGETS,
  ...DISCOVERY_TARGETS,
  ...PROXY_TARGETS,
  ...SERVER_TARGETS,
];
