import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestOptions } from "node:http";
import { CliError } from "../cli-error.ts";
import type { Profile } from "../profiles/profile.ts";
import type { ApiOptions, Call } from "./api.ts";
import { explainUnreachable, TimedOut } from "./explain-unreachable.ts";

/** Sends calls to one address over HTTP or HTTPS. */
export interface Transport {
  readonly address: string;
  readonly send: (call: Call) => Promise<Sent>;
}

/** An answer whose body is still coming. What reads the body goes through `guard`, which explains a broken connection. */
export interface Sent {
  readonly response: IncomingMessage;
  readonly guard: <T>(work: Promise<T>) => Promise<T>;
}

/** The transport for a profile: its certificates, token and headers go with every call. */
export function openTransport(profile: Profile, options: ApiOptions): Transport {
  const tls = readTlsFiles(profile);
  return {
    address: profile.address,
    send: async (call) => {
      const started = performance.now();
      const timeoutMillis = call.timeoutMillis ?? options.timeoutMillis;
      const deadline = AbortSignal.timeout(timeoutMillis);
      const guard = async <T>(work: Promise<T>): Promise<T> => {
        try {
          return await work;
        } catch (cause) {
          options.signal.throwIfAborted();
          throw explainUnreachable(
            profile.address,
            call.action,
            deadline.aborted ? new TimedOut(timeoutMillis) : cause,
          );
        }
      };
      const url = urlOf(profile, call);
      const signal = AbortSignal.any([options.signal, deadline]);
      const response = await guard(exchange(url, call, { ...tls, headers: headersOf(profile, call), signal }));
      const millis = Math.round(performance.now() - started);
      options.debug?.(`${call.method ?? "GET"} ${url.href}: ${response.statusCode} in ${millis} ms`);
      return { response, guard };
    },
  };
}

function urlOf(profile: Profile, call: Call): URL {
  const url = new URL(profile.address + call.path);
  for (const [key, values] of Object.entries(call.query ?? {})) {
    for (const value of [values].flat()) if (value !== undefined) url.searchParams.append(key, String(value));
  }
  return url;
}

// One connection a call: a command makes few, and no idle socket then keeps the process from ending.
async function exchange(url: URL, call: Call, options: RequestOptions): Promise<IncomingMessage> {
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, method: call.method ?? "GET", agent: false }, resolve);
    sent.on("error", reject);
    sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });
}

function headersOf(profile: Profile, call: Call): Record<string, string> {
  return {
    accept: "application/json",
    ...(call.body === undefined ? {} : { "content-type": "application/json" }),
    ...(profile.token === undefined ? {} : { authorization: `Bearer ${profile.token}` }),
    ...profile.headers,
  };
}

interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

function readTlsFiles(profile: Profile): TlsOptions {
  const { caCertFile, clientCertFile, clientKeyFile } = profile;
  return {
    rejectUnauthorized: profile.skipVerify !== true,
    ...(caCertFile === undefined ? {} : { ca: readPem(caCertFile) }),
    ...(clientCertFile === undefined ? {} : { cert: readPem(clientCertFile) }),
    ...(clientKeyFile === undefined ? {} : { key: readPem(clientKeyFile) }),
  };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CliError(`Cannot read the certificate or key "${path}": ${(cause as Error).message}`, {
      next: ["Correct its path: heddle config control-planes add --overwrite --name NAME --address URL ..."],
      cause,
    });
  }
}
