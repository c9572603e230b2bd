import { toMillis } from "@heddle/model/duration.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { checkInlineJwks, checkRemoteJwks } from "./check-jwks.ts";
import type { JwtConf, Provider } from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf(conf: JwtConf, field: string): Violation[] {
  const { providers = [], require, allowMissing, requireClaims = [], publicPaths = [] } = conf;
  if (Object.keys(conf).length === 0) return [{ field, message: "must say something: who makes tokens, at least" }];
  return [
    ...providers.flatMap((provider, index) => checkProvider(provider, `${field}.providers[${index}]`)),
    ...checkOnce(providers, `${field}.providers`),
    ...(require === undefined ? [] : checkRequirement(require, providers, `${field}.require`)),
    ...(allowMissing === true && requireClaims.length > 0
      ? [{ field: `${field}.allowMissing`, message: "must not be true beside requireClaims: no token says nothing" }]
      : []),
    ...publicPaths.flatMap((path, index) => checkPath(path, `${field}.publicPaths[${index}]`)),
  ];
}

function checkProvider({ jwks, forwardPayloadHeader, ...rest }: Provider, field: string): Violation[] {
  const { fromHeaders = [], claimToHeaders = [] } = rest;
  const headers = [
    ...fromHeaders.map(({ name }, index) => ({ name, at: `${field}.fromHeaders[${index}].name` })),
    ...claimToHeaders.map(({ header }, index) => ({ name: header, at: `${field}.claimToHeaders[${index}].header` })),
    ...(forwardPayloadHeader === undefined
      ? []
      : [{ name: forwardPayloadHeader, at: `${field}.forwardPayloadHeader` }]),
  ];
  return [
    ...checkJwks(jwks, `${field}.jwks`),
    ...headers.flatMap(({ name, at }) =>
      HEADER.test(name) ? [] : [{ field: at, message: "must be a header's name" }],
    ),
  ];
}

const HEADER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkJwks({ inline, remote }: Provider["jwks"], field: string): Violation[] {
  if ((inline === undefined) === (remote === undefined))
    return [{ field, message: "must have either inline or remote" }];
  if (inline !== undefined) return checkInlineJwks(inline, `${field}.inline`);
  if (remote === undefined) return [];
  const { timeout, cacheDuration } = remote;
  const times = { timeout, cacheDuration };
  return [
    ...checkRemoteJwks(remote, `${field}.remote`),
    ...Object.entries(times).flatMap(([name, value]) =>
      value === undefined || toMillis(value) > 0
        ? []
        : [{ field: `${field}.remote.${name}`, message: "must be more than zero" }],
    ),
  ];
}

function checkOnce(providers: readonly Provider[], field: string): Violation[] {
  const names = providers.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ field: `${field}[${index}].name`, message: `must be unique: "${name}" is there already` }],
  );
}

function checkRequirement(
  { any, all }: NonNullable<JwtConf["require"]>,
  providers: readonly Provider[],
  field: string,
): Violation[] {
  if ((any === undefined) === (all === undefined)) return [{ field, message: "must have either any or all" }];
  // Without providers of its own, a rule means those of a weaker policy.
  if (providers.length === 0) return [];
  const known = new Set(providers.map(({ name }) => name));
  return Object.entries({ any, all }).flatMap(([list, names = []]) =>
    names.flatMap((name, index) =>
      known.has(name)
        ? []
        : [{ field: `${field}.${list}[${index}]`, message: `must be one of the providers ${[...known].join(", ")}` }],
    ),
  );
}

// Envoy compares with the path as it has normalised it, so dots and double slashes would never be met.
function checkPath(path: string, field: string): Violation[] {
  const segments = path.split("/").slice(1);
  const isPlain = /^\/[^?#%;\\\s]*$/.test(path) && segments.every((each) => each !== "" && !/^\.+$/.test(each));
  if (isPlain) return [];
  return [{ field, message: "must be a path such as /public, without a slash at its end, dots, escapes or a query" }];
}
