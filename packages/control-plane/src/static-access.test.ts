import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS, type Action } from "@heddle/api/settings.ts";
import { refusalOf } from "@heddle/api/auth/authorize.ts";
import { apiSettings } from "./api-ports.ts";
import { loadConfig } from "./config.ts";

/** Kuma's names for the lists in the environment, by its names in the file. */
const VARIABLES: Readonly<Record<Action, string>> = {
  adminResources: "ADMIN_RESOURCES",
  generateDpToken: "GENERATE_DP_TOKEN",
  generateUserToken: "GENERATE_USER_TOKEN",
  generateZoneToken: "GENERATE_ZONE_TOKEN",
  viewConfigDump: "GET_CONFIG_DUMP",
  viewStats: "VIEW_STATS",
  viewClusters: "VIEW_CLUSTERS",
  controlPlaneMetadata: "CONTROL_PLANE_METADATA",
  rotateCa: "ROTATE_CA",
  rotateEncryptionKey: "ROTATE_ENCRYPTION_KEY",
};

const USERS = {
  jane: { name: "jane", groups: ["mesh-system:authenticated"] },
  ofTeam: { name: "joe", groups: ["team", "mesh-system:authenticated"] },
  root: { name: "root", groups: ["mesh-system:admin", "mesh-system:authenticated"] },
  nobody: { name: "mesh-system:anonymous", groups: ["mesh-system:unauthenticated"] },
};

function allowed(env: Readonly<Record<string, string>>, file?: string): Readonly<Record<string, readonly string[]>> {
  const config = loadConfig({ env, file, flags: {} });
  assert.ok(config.ok, JSON.stringify(config));
  const settings = apiSettings(config.value);
  const mayDo = (action: Action): string[] =>
    Object.entries(USERS).flatMap(([name, user]) => (refusalOf(user, action, settings) === undefined ? [name] : []));
  return Object.fromEntries(ACTIONS.map((action) => [action, mayDo(action)]));
}

const EVERYBODY = Object.keys(USERS);
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  adminResources: ["root"],
  generateDpToken: ["root"],
  generateUserToken: ["root"],
  generateZoneToken: ["root"],
  viewConfigDump: EVERYBODY,
  viewStats: EVERYBODY,
  viewClusters: EVERYBODY,
  controlPlaneMetadata: EVERYBODY,
  rotateCa: ["root"],
  rotateEncryptionKey: ["root"],
};

test("staticAccess() allows by default what Kuma allows", () => {
  assert.deepEqual(allowed({}), DEFAULTS);
});

for (const action of ACTIONS) {
  test(`staticAccess() takes both lists of ${action} from Kuma's variables, and no other list with them`, () => {
    const names = {
      users: `KUMA_ACCESS_STATIC_${VARIABLES[action]}_USERS`,
      groups: `KUMA_ACCESS_STATIC_${VARIABLES[action]}_GROUPS`,
    };
    assert.deepEqual(allowed({ [names.users]: "jane", [names.groups]: "team" }), {
      ...DEFAULTS,
      [action]: ["jane", "ofTeam"],
    });
  });

  test(`staticAccess() takes both lists of ${action} from the file`, () => {
    const file = `access: { static: { ${action}: { users: [jane], groups: [] } } }`;
    assert.deepEqual(allowed({}, file), { ...DEFAULTS, [action]: ["jane"] });
  });
}
