/** Who may do what is guarded by lists of users and groups. */
export interface AccessList {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** The guarded actions, named as in Kuma's `access.static`. */
export const ACTIONS = [
  "adminResources",
  "generateDpToken",
  "generateUserToken",
  "generateZoneToken",
  "viewConfigDump",
  "viewStats",
  "viewClusters",
  "controlPlaneMetadata",
  "rotateCa",
  "rotateEncryptionKey",
] as const;
export type Action = (typeof ACTIONS)[number];

/** Everything an operator can set about the REST API. Times are milliseconds. */
export interface ApiSettings {
  /** All routes hang under it. */
  readonly basePath: string;
  /** Refuses every write of a resource: for control planes whose resources are written elsewhere. */
  readonly readOnly: boolean;
  readonly localhostIsAdmin: boolean;
  /** Whether callers without identity may write. Kuma lets them; here it must be asked for. */
  readonly anonymousWrites: boolean;
  /** "static": the lists below. "rbac": AccessRoles and AccessRoleBindings. */
  readonly accessType: "static" | "rbac";
  readonly access: Readonly<Record<Action, AccessList>>;
  /** Lets a mesh go although proxies are still in it. */
  readonly unsafeDelete: boolean;
  readonly bodyLimitBytes: number;
  readonly timeouts: {
    readonly headers: number;
    readonly read: number;
    readonly write: number;
    readonly idle: number;
  };
  /** How long requests in flight may take once the server stops. */
  readonly closeGrace: number;
}

const ADMIN: AccessList = { users: ["mesh-system:admin"], groups: ["mesh-system:admin"] };
const EVERYBODY: AccessList = {
  users: [],
  groups: ["mesh-system:unauthenticated", "mesh-system:authenticated"],
};

/** Kuma's defaults, but for anonymous writes. */
export const DEFAULT_SETTINGS: ApiSettings = {
  basePath: "/",
  readOnly: false,
  localhostIsAdmin: true,
  anonymousWrites: false,
  accessType: "static",
  access: {
    adminResources: ADMIN,
    generateDpToken: ADMIN,
    generateUserToken: ADMIN,
    generateZoneToken: ADMIN,
    viewConfigDump: EVERYBODY,
    viewStats: EVERYBODY,
    viewClusters: EVERYBODY,
    controlPlaneMetadata: EVERYBODY,
    rotateCa: ADMIN,
    rotateEncryptionKey: ADMIN,
  },
  unsafeDelete: false,
  bodyLimitBytes: 1_048_576,
  timeouts: { headers: 1_000, read: 10_000, write: 30_000, idle: 120_000 },
  closeGrace: 5_000,
};
