import { z } from "zod";
import { toMillis } from "../duration.ts";
import { LABEL } from "../labels.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import {
  compact,
  compactOrNothing,
  legacyKind,
  numbered,
  topOf,
  type Translation,
  type TranslationContext,
} from "./legacy-kind.ts";
import { checkServerSide, type Connections, connectionShape, rankOf, type Selector } from "./selector.ts";

const httpSchema = z.strictObject({
  requests: z.int().min(1).max(4_294_967_295).describe("How many in each interval"),
  interval: duration().describe("How long until as many are allowed again"),
  onRateLimit: z
    .strictObject({
      status: z.int().min(400).max(599).optional().describe("Status of the answer to what is over the limit (429)"),
      headers: z
        .array(
          z.strictObject({
            key: z.string().min(1).max(256),
            value: z.string().max(4_096),
            append: z.boolean().optional().describe("Beside a header that is there, or in place of it (false)"),
          }),
        )
        .max(16)
        .optional()
        .describe("Headers of that answer"),
    })
    .optional()
    .describe("What becomes of the others"),
});
type Http = z.infer<typeof httpSchema>;

/** Kuma 2.x: how many requests a service takes in. */
export const rateLimit = legacyKind({
  type: "RateLimit",
  path: "rate-limits",
  shortName: "rl",
  singular: "Rate Limit",
  plural: "Rate Limits",
  schema: z.strictObject({
    ...connectionShape,
    conf: z.strictObject({ http: httpSchema.describe("The limit") }).describe("The limit"),
  }),
  check: (spec) => [...checkServerSide(spec), ...checkHttp(spec.conf.http)],
  legacy: {
    becomes: ["MeshRateLimit"],
    side: "server",
    choice: "all",
    translate: (spec, context) => translate(spec, spec.conf.http, context),
  },
});

function translate(
  { sources, destinations }: Connections,
  http: Http,
  { name, mesh }: TranslationContext,
): Translation {
  const told = sources.filter(isTold);
  const rules = told.map(({ match: { [LABEL.service]: service = "*" } }) => ({
    ...(service !== "*" && { matches: [{ spiffeID: { type: "Exact", value: `spiffe://${mesh.name}/${service}` } }] }),
    default: { local: { http: limitOf(http) } },
  }));
  return {
    policies: destinations.map((destination, index) => ({
      type: "MeshRateLimit",
      name: numbered(name, index),
      spec: { ...topOf(destination), rules },
      rank: rankOf(destination),
      itemRanks: told.map(rankOf),
      ...(rules.length === 0 && { inert: true }),
    })),
    notes: sources.flatMap(noteOn),
  };
}

/** A MeshRateLimit knows callers by their SPIFFE ID, in which Kuma 2.x writes the service and no other tag. */
function isTold({ match }: Selector): boolean {
  return Object.keys(match).every((key) => key === LABEL.service);
}

function noteOn(source: Selector, index: number): readonly string[] {
  const at = `sources[${index}].match`;
  if (!isTold(source)) {
    return [`${at}: left out: a MeshRateLimit can tell callers apart by ${LABEL.service}, not by other tags`];
  }
  if (source.match[LABEL.service] === "*") return [];
  return [`${at}: callers are told apart by their certificates, so that mutual TLS has to be on`];
}

function limitOf({ requests, interval, onRateLimit = {} }: Http): object {
  const { status = 429, headers = [] } = onRateLimit;
  const valuesOf = (append: boolean): object[] | undefined => {
    const some = headers.filter((each) => (each.append ?? false) === append);
    return some.length === 0 ? undefined : some.map(({ key, value }) => ({ name: key, value }));
  };
  return {
    requestRate: { num: requests, interval },
    onRateLimit: compact({
      status,
      headers: compactOrNothing({ set: valuesOf(false), add: valuesOf(true) }),
    }),
  };
}

const SHORTEST_INTERVAL = 50;

// Envoy fills no faster than every 50 ms.
function checkHttp({ interval }: Http): readonly Violation[] {
  if (toMillis(interval) > SHORTEST_INTERVAL) return [];
  return [{ field: "conf.http.interval", message: `must be more than 50ms, not "${interval}"` }];
}
