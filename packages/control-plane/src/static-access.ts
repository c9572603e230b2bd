import type { AccessList, Action } from "@heddle/api/settings.ts";
import type { Config } from "./config/settings.ts";

/** The lists of `access.type: static`, by guarded action. */
export function staticAccess(config: Config): Readonly<Record<Action, AccessList>> {
  return {
    adminResources: { users: config.adminUsers, groups: config.adminGroups },
    generateDpToken: { users: config.dpTokenUsers, groups: config.dpTokenGroups },
    generateUserToken: { users: config.userTokenUsers, groups: config.userTokenGroups },
    generateZoneToken: { users: config.zoneTokenUsers, groups: config.zoneTokenGroups },
    viewConfigDump: { users: config.configDumpUsers, groups: config.configDumpGroups },
    viewStats: { users: config.statsUsers, groups: config.statsGroups },
    viewClusters: { users: config.clustersUsers, groups: config.clustersGroups },
    controlPlaneMetadata: { users: config.metadataUsers, groups: config.metadataGroups },
    rotateCa: { users: config.rotateCaUsers, groups: config.rotateCaGroups },
    rotateEncryptionKey: { users: config.rotateEncryptionKeyUsers, groups: config.rotateEncryptionKeyGroups },
  };
}
