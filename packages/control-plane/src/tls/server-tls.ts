import { createSecureContext } from "node:tls";
import type { Config } from "../config/settings.ts";
import { FileWatch } from "../identity/file-watch.ts";
import type { Log } from "../log.ts";
import type { Secrets } from "../secrets.ts";
import { endOfChain } from "./check-pair.ts";
import { EndingSoon } from "./ending-soon.ts";
import { Live, type LiveEvents } from "./live.ts";
import { ownAuthority } from "./own-authority.ts";
import { filesOf, hostsOf, isOpen, parametersOf, PORTS, type SecureOptions, type TlsPort } from "./port-settings.ts";
import { authoritiesFromFile, pairFromAuthority, pairFromFiles, type ServerPair } from "./sources.ts";

/** The TLS of one port, as it is now. */
export interface PortTls {
  readonly options: () => SecureOptions;
  /** PEM of what clients of this port have to trust. */
  readonly trustPem: () => string;
  /** Hears of other options: for connections from then on. */
  readonly onChange: (listener: () => void) => void;
}

/** How the certificate of a port is doing. */
export interface CertificateState {
  readonly port: TlsPort;
  readonly notAfter: Date;
  /** Why what an operator put in its place is not in use. */
  readonly problem: string | undefined;
}

/** The certificates of all ports. */
export interface ServerTls extends Disposable {
  readonly of: (port: TlsPort) => PortTls;
  readonly states: () => readonly CertificateState[];
  /** Looks at everything now, instead of when a file changes or a minute is over. */
  readonly refresh: (now: Date) => Promise<void>;
}

/** Files are watched. What a watch misses, such as a folder that was replaced, is found by looking. */
const LOOK_MILLIS = 60_000;

interface Parts {
  readonly secrets: Secrets;
  readonly log: Log;
  readonly now: () => Date;
}

/** Reads or makes what the ports show, and follows it from then on. Throws with what to do when something cannot be used. */
export async function openServerTls(config: Config, { secrets, log, now }: Parts): Promise<ServerTls> {
  const events = {
    onTaken: (what: string): void => log.info(`${what} was taken up: connections from now on get the new one`),
    onProblem: (what: string, problem: string): void =>
      log.warn(`${what} changed and cannot be used; the one before stays until this is corrected`, { problem }),
  };
  const pairs = new Map<string, Live<ServerPair>>();
  const open = async (port: TlsPort): Promise<readonly [TlsPort, Live<ServerPair>]> => {
    const files = filesOf(config, port);
    const key = files === undefined ? "" : `${files.certFile}\0${files.keyFile}`;
    const known = pairs.get(key);
    if (known !== undefined) return [port, known];
    const source =
      files === undefined
        ? pairFromAuthority(await ownAuthority(secrets, now()), hostsOf(config))
        : pairFromFiles(files);
    const live = await Live.open(source, now(), events);
    pairs.set(key, live);
    return [port, live];
  };
  const byPort = new Map<TlsPort, Live<ServerPair>>();
  for (const port of PORTS.filter((each) => isOpen(config, each))) byPort.set(...(await open(port)));
  const clients = await openClientAuthorities(config, now(), events);
  const lives = [...pairs.values(), ...(clients === undefined ? [] : [clients])];
  const of = (port: TlsPort): PortTls => portTls(config, port, { pair: byPort.get(port), clients });
  for (const port of byPort.keys()) createSecureContext(of(port).options());
  const states = (): CertificateState[] =>
    [...byPort].map(([port, { value, problem }]) => {
      const ofClients = port === "api" ? clients?.problem : undefined;
      return { port, notAfter: endOfChain(value.certificatePem), problem: problem ?? ofClients };
    });
  const ending = new EndingSoon((message, fields) => log.warn(message, fields));
  const refresh = async (at: Date): Promise<void> => {
    await Promise.all(lives.map((live) => live.refresh(at)));
    ending.look(states(), at);
  };
  ending.look(states(), now());
  return { of, states, refresh, [Symbol.dispose]: follow(lives, { refresh, now }) };
}

interface Followed {
  readonly source: { readonly files: readonly string[] };
  readonly refresh: (now: Date) => Promise<void>;
}

/** Looks again when a file changes, and once a minute. Gives what ends that. */
function follow(
  lives: readonly Followed[],
  { refresh, now }: { readonly refresh: (now: Date) => Promise<void>; readonly now: () => Date },
): () => void {
  const watch = new FileWatch((index) => void lives[Number(index)]?.refresh(now()));
  for (const [index, { source }] of lives.entries()) for (const file of source.files) watch.add(String(index), file);
  const timer = setInterval(() => void refresh(now()), LOOK_MILLIS).unref();
  return () => {
    watch.stop();
    clearInterval(timer);
  };
}

interface Shown {
  readonly pair: Live<ServerPair> | undefined;
  readonly clients: Live<{ readonly pem: string }> | undefined;
}

function portTls(config: Config, port: TlsPort, { pair, clients }: Shown): PortTls {
  if (pair === undefined) throw new Error(`Cannot secure port "${port}": it has no certificate`);
  const authorities = port === "api" ? clients : undefined;
  const parameters = parametersOf(config, port);
  return {
    options: () => ({
      cert: pair.value.certificatePem,
      key: pair.value.keyPem,
      ...parameters,
      ...(authorities === undefined ? {} : { ca: authorities.value.pem }),
    }),
    trustPem: () => pair.value.trustPem,
    onChange: (listener) => {
      pair.onChange(listener);
      authorities?.onChange(listener);
    },
  };
}

/** Whose client certificates the REST API accepts; undefined when none are. */
async function openClientAuthorities(
  { apiHttpsEnabled, apiHttpsCaFile: file, apiHttpsRequireClientCert: required }: Config,
  now: Date,
  events: LiveEvents,
): Promise<Live<{ readonly pem: string }> | undefined> {
  if (file !== "" && apiHttpsEnabled)
    return await Live.open(authoritiesFromFile(file, "--api-https-ca-file"), now, events);
  if (!required || file !== "") return undefined;
  throw new Error("Cannot ask for client certificates: no authority is set; name one with --api-https-ca-file");
}
