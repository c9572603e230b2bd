import { list, record, records, text, textMap } from "../json.ts";

/** A control plane as one user reaches it. */
export interface Profile {
  readonly name: string;
  /** http or https URL of the REST API. */
  readonly address: string;
  readonly caCertFile?: string;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
  readonly skipVerify?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** User token; secret. */
  readonly token?: string;
  /** Where the token came from, if somebody logged in for it. */
  readonly login?: Login;
}

/** How a token of an OpenID Connect issuer was got, and how the next one is. */
export interface Login {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
  /** When the token ends, ISO 8601. */
  readonly expiresAt: string;
  /** Secret. */
  readonly refreshToken?: string;
}

/** What the configuration file holds. */
export interface Profiles {
  readonly profiles: readonly Profile[];
  readonly current: string | undefined;
}

export const NO_PROFILES: Profiles = { profiles: [], current: undefined };

/** Reads the file's content. It is kumactl's form, so that a file of kumactl's works here too. */
export function parseProfiles(content: unknown): Profiles {
  const root = record(content);
  const contexts = new Map(
    records(root["contexts"]).map((context) => [text(context["controlPlane"]), text(context["name"])]),
  );
  const profiles = records(root["controlPlanes"]).flatMap((entry) => {
    const name = text(entry["name"]);
    const server = record(record(entry["coordinates"])["apiServer"]);
    const address = text(server["url"]);
    if (name === undefined || address === undefined) return [];
    return [{ name: contexts.get(name) ?? name, address, ...parseAccess(server) }];
  });
  return { profiles, current: text(root["currentContext"]) };
}

/** The file's content for a set of profiles. */
export function formatProfiles({ profiles, current }: Profiles): Record<string, unknown> {
  return {
    controlPlanes: profiles.map((profile) => ({
      name: profile.name,
      coordinates: { apiServer: formatServer(profile) },
    })),
    contexts: profiles.map(({ name }) => ({ name, controlPlane: name })),
    ...(current === undefined ? {} : { currentContext: current }),
  };
}

/** With a profile added, or put in the place of the one with its name; it becomes the current one. */
export function withProfile({ profiles }: Profiles, profile: Profile): Profiles {
  const others = profiles.filter(({ name }) => name !== profile.name);
  return { profiles: [...others, profile], current: profile.name };
}

/** With a profile in the place of the one with its name; which one is current stays. */
export function withChanged({ profiles, current }: Profiles, changed: Profile): Profiles {
  return { profiles: profiles.map((profile) => (profile.name === changed.name ? changed : profile)), current };
}

/** Without a profile. If it was the current one, none is current. */
export function withoutProfile({ profiles, current }: Profiles, removed: string): Profiles {
  return {
    profiles: profiles.filter(({ name }) => name !== removed),
    current: current === removed ? undefined : current,
  };
}

function parseAccess(server: Readonly<Record<string, unknown>>): Omit<Profile, "name" | "address"> {
  const caCertFile = text(server["caCertFile"]);
  const clientCertFile = text(server["clientCertFile"]);
  const clientKeyFile = text(server["clientKeyFile"]);
  const token = text(record(server["authConf"])["token"]);
  const login = parseLogin(record(server["authConf"]));
  const headers = parseHeaders(server["headers"]);
  return {
    ...(caCertFile === undefined ? {} : { caCertFile }),
    ...(clientCertFile === undefined ? {} : { clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { clientKeyFile }),
    ...(server["skipVerify"] === true ? { skipVerify: true } : {}),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(token === undefined ? {} : { token }),
    ...(login === undefined ? {} : { login }),
  };
}

function parseLogin(conf: Readonly<Record<string, unknown>>): Login | undefined {
  const [issuer, clientId, audience] = [text(conf["issuer"]), text(conf["clientId"]), text(conf["audience"])];
  const [expiresAt, refreshToken] = [text(conf["expiresAt"]), text(conf["refreshToken"])];
  if (issuer === undefined || clientId === undefined || audience === undefined || expiresAt === undefined)
    return undefined;
  return { issuer, clientId, audience, expiresAt, ...(refreshToken === undefined ? {} : { refreshToken }) };
}

function parseHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (list(headers).length === 0) return {};
  return textMap(Object.fromEntries(records(headers).map(({ key, value }) => [String(key), value])));
}

function formatServer({ name: _name, address, token, login, headers, ...files }: Profile): Record<string, unknown> {
  return {
    url: address,
    ...files,
    ...(headers === undefined ? {} : { headers: Object.entries(headers).map(([key, value]) => ({ key, value })) }),
    ...(token === undefined ? {} : { authType: "tokens", authConf: { token, ...login } }),
  };
}
