import { CliError, UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { openProfile, profileOf } from "../../connect.ts";
import { durationFlag, globalOptions, type GlobalOptions } from "../../global-options.ts";
import { record, text } from "../../json.ts";
import type { LoginPlace } from "../../login/issuer.ts";
import { logInByBrowser, logInByDevice } from "../../login/log-in.ts";
import { lockProfiles } from "../../profiles/lock-profiles.ts";
import { type Profile, withChanged, withProfile } from "../../profiles/profile.ts";
import { defaultProfileFile, readProfiles, writeProfiles } from "../../profiles/profile-file.ts";

interface Flags {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly audience?: string | undefined;
}

/** `heddle auth login`: gets a token of the issuer that the control plane trusts, and keeps it in the profile. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("--issuer <url>", "where to log in, if not where the control plane says; with --client-id")
    .option("--client-id <id>", "client to be there")
    .option("--audience <text>", "whom an access token must be for; an ID token when left out")
    .option("--device", "log in with a browser on another machine")
    .option("--no-browser", "only print the address to open", true)
    .option("--port <port>", "port of 127.0.0.1 that the browser comes back to, for issuers that want to know it", "0")
    .option("--timeout <duration>", "how long to wait for you", "5m")
    .action(async (flags) => {
      const options = globalOptions(typed);
      if (options.config === false) throw new UsageError("Cannot log in with --no-config: the tokens are kept there");
      const profile = withoutLogin(await profileOf(options, cli));
      checkEncrypted(profile.address);
      const place = await placeOf(flags, profile, options, cli);
      const login = flags.device === true ? logInByDevice : logInByBrowser;
      const session = await login(place, {
        cli,
        port: portFlag(flags.port),
        timeoutMillis: durationFlag("--timeout", flags.timeout),
        open: flags.browser ? openBrowser : undefined,
      });
      const loggedIn = { ...profile, name: profile.name || new URL(profile.address).host, ...session };
      const api = openProfile(loggedIn, options, cli);
      const user = record(await api.json({ path: "/who-am-i", action: `log in to ${profile.address}` }));
      await keep(loggedIn, options, cli);
      cli.terminal.print(`Logged in to ${profile.address} as ${text(user["name"]) ?? "nobody"}`);
    });
  addExamples(typed, [
    ["heddle auth login", "log in with the browser, where the control plane in use says"],
    ["heddle auth login --device", "the same on a machine without browser"],
    ["heddle auth login --control-plane https://cp.example.com:5682", "log in to another one, and use it"],
    ["heddle auth login --issuer https://login.example.com --client-id heddle", "log in where you say"],
  ]);
}

function withoutLogin({ token: _token, login: _login, ...profile }: Profile): Profile {
  return profile;
}

/** A token that is sent in the clear is everybody's. */
function checkEncrypted(address: string): void {
  const { protocol, hostname } = new URL(address);
  if (protocol === "https:" || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return;
  throw new CliError(`Cannot log in to ${address}: your token would be sent in the clear`, {
    next: ["Use its HTTPS port: heddle auth login --control-plane https://HOST:5682"],
  });
}

async function placeOf(flags: Flags, profile: Profile, options: GlobalOptions, cli: Cli): Promise<LoginPlace> {
  const { issuer, clientId } = flags;
  if ((issuer === undefined) !== (clientId === undefined))
    throw new UsageError("Cannot log in with half of a place: give both --issuer and --client-id");
  if (issuer !== undefined && clientId !== undefined) return { issuer, clientId, audience: flags.audience ?? clientId };
  const api = openProfile(profile, options, cli);
  const answer = record(await api.json({ path: "/auth/config", action: "find out where to log in" }));
  const oidc = record(answer["oidc"]);
  const told = { issuer: text(oidc["issuer"]), clientId: text(oidc["clientId"]), audience: text(oidc["audience"]) };
  if (told.issuer === undefined || told.clientId === undefined)
    throw new CliError(`Cannot log in to ${profile.address}: it trusts no OpenID Connect issuer`, {
      next: [
        "Its operator names one with apiServer.authn.oidc; without, a token does: heddle generate user-token --help",
      ],
    });
  return { issuer: told.issuer, clientId: told.clientId, audience: flags.audience ?? told.audience ?? told.clientId };
}

async function keep(profile: Profile, options: GlobalOptions, cli: Cli): Promise<void> {
  const path = options.configFile ?? defaultProfileFile(cli.env);
  await lockProfiles(path, cli.signal, async () => {
    const before = await readProfiles(path);
    const isKnown = before.profiles.some(({ name }) => name === profile.name);
    await writeProfiles(path, isKnown ? withChanged(before, profile) : withProfile(before, profile));
  });
}

function portFlag(raw: string): number {
  if (/^\d{1,5}$/.test(raw) && Number(raw) <= 65_535) return Number(raw);
  throw new UsageError(`Cannot use --port "${raw}": it must be a whole number from 0 to 65535`);
}

/** The address is printed already: where no browser opens, somebody opens it by hand. */
async function openBrowser(url: string): Promise<void> {
  const { default: open } = await import("open");
  const child = await open(url).catch(() => undefined);
  child?.once("error", () => {});
}
