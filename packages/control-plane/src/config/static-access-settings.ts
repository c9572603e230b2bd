import { type Setting, texts } from "./setting.ts";

const ADMIN = ["mesh-system:admin"];
const EVERYBODY = ["mesh-system:unauthenticated", "mesh-system:authenticated"];

/**
 * The lists of `access.type: static`: for every guarded action its users and its groups. Paths, variables and defaults are
 * Kuma's (`pkg/config/access`, where two actions are spelled differently in the environment than in the file); `rotateCa` is
 * ours.
 */
export const STATIC_ACCESS_SETTINGS = {
  adminUsers: users("adminResources", "ADMIN_RESOURCES", { may: "read and write secrets", default: ADMIN }),
  adminGroups: groups("adminResources", "ADMIN_RESOURCES", { may: "read and write secrets", default: ADMIN }),
  dpTokenUsers: users("generateDpToken", "GENERATE_DP_TOKEN", { may: "issue dataplane tokens", default: ADMIN }),
  dpTokenGroups: groups("generateDpToken", "GENERATE_DP_TOKEN", { may: "issue dataplane tokens", default: ADMIN }),
  userTokenUsers: users("generateUserToken", "GENERATE_USER_TOKEN", { may: "issue user tokens", default: ADMIN }),
  userTokenGroups: groups("generateUserToken", "GENERATE_USER_TOKEN", { may: "issue user tokens", default: ADMIN }),
  zoneTokenUsers: users("generateZoneToken", "GENERATE_ZONE_TOKEN", { may: "issue zone tokens", default: ADMIN }),
  zoneTokenGroups: groups("generateZoneToken", "GENERATE_ZONE_TOKEN", { may: "issue zone tokens", default: ADMIN }),
  configDumpUsers: users("viewConfigDump", "GET_CONFIG_DUMP", { may: "see the configuration of proxies", default: [] }),
  configDumpGroups: groups("viewConfigDump", "GET_CONFIG_DUMP", {
    may: "see the configuration of proxies",
    default: EVERYBODY,
  }),
  statsUsers: users("viewStats", "VIEW_STATS", { may: "see the statistics of proxies", default: [] }),
  statsGroups: groups("viewStats", "VIEW_STATS", { may: "see the statistics of proxies", default: EVERYBODY }),
  clustersUsers: users("viewClusters", "VIEW_CLUSTERS", { may: "see the clusters of proxies", default: [] }),
  clustersGroups: groups("viewClusters", "VIEW_CLUSTERS", { may: "see the clusters of proxies", default: EVERYBODY }),
  metadataUsers: users("controlPlaneMetadata", "CONTROL_PLANE_METADATA", {
    may: "see the configuration of the control plane",
    default: [],
  }),
  metadataGroups: groups("controlPlaneMetadata", "CONTROL_PLANE_METADATA", {
    may: "see the configuration of the control plane",
    default: EVERYBODY,
  }),
  rotateCaUsers: users("rotateCa", "ROTATE_CA", { may: "rotate certificate authorities", default: ADMIN }),
  rotateCaGroups: groups("rotateCa", "ROTATE_CA", { may: "rotate certificate authorities", default: ADMIN }),
  rotateEncryptionKeyUsers: users("rotateEncryptionKey", "ROTATE_ENCRYPTION_KEY", {
    may: "rotate the encryption key of the store",
    default: ADMIN,
  }),
  rotateEncryptionKeyGroups: groups("rotateEncryptionKey", "ROTATE_ENCRYPTION_KEY", {
    may: "rotate the encryption key of the store",
    default: ADMIN,
  }),
} as const;

interface List {
  readonly may: string;
  readonly default: readonly string[];
}

function users(action: string, variable: string, { may, default: fallback }: List): Setting<readonly string[]> {
  return texts({
    path: `access.static.${action}.users`,
    variables: [`ACCESS_STATIC_${variable}_USERS`],
    description: `Users who may ${may}`,
    default: fallback,
  });
}

function groups(action: string, variable: string, { may, default: fallback }: List): Setting<readonly string[]> {
  return texts({
    path: `access.static.${action}.groups`,
    variables: [`ACCESS_STATIC_${variable}_GROUPS`],
    description: `Groups that may ${may}`,
    default: fallback,
  });
}
