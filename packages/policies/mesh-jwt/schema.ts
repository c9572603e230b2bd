import { duration } from "@heddle/model/schema.ts";
import { z } from "zod";

const name = () => z.string().min(1).max(256);

const remoteSchema = z.strictObject({
  url: z.string().min(1).max(2_048).describe("Where the keys are: an https URL, without user and query"),
  cacheDuration: duration().optional().describe("How long keys are used before they are fetched anew (10m)"),
  timeout: duration().optional().describe("How long fetching them may take (5s)"),
  caCertificate: z
    .string()
    .max(65_536)
    .optional()
    .describe("Authorities that the server's certificate is from, PEM (those that the proxy's machine trusts)"),
  allowPrivateAddress: z
    .boolean()
    .optional()
    .describe("The URL may name this machine, a private network, or a cloud's metadata service (false)"),
  allowPlainText: z
    .boolean()
    .optional()
    .describe("The URL may be http: whoever is on the way can then make tokens (false)"),
});
/** Keys that the proxies fetch. */
export type RemoteJwks = z.infer<typeof remoteSchema>;

const providerSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "must be letters, digits, dots, dashes or underscores" })
    .describe("What it is called in this policy"),
  issuer: z.string().min(1).max(2_048).describe('Who made the token: its claim "iss"'),
  audiences: z
    .array(name())
    .min(1)
    .max(64)
    .optional()
    .describe('Whom it must be for: its claim "aud" has one of these'),
  jwks: z
    .strictObject({
      inline: z.string().min(1).max(262_144).optional().describe("The keys themselves, as JSON (RFC 7517)"),
      remote: remoteSchema.optional().describe("Keys that every proxy fetches for itself"),
    })
    .describe("Public keys that tokens are signed with"),
  fromHeaders: z
    .array(
      z.strictObject({
        name: name().describe("Name of the header"),
        prefix: z.string().max(64).optional().describe('What stands before the token, such as "Bearer " (nothing)'),
      }),
    )
    .min(1)
    .max(16)
    .optional()
    .describe('Headers that may have the token (Authorization with "Bearer ", unless anything is said)'),
  fromParams: z.array(name()).min(1).max(16).optional().describe("Parameters of the query that may have the token"),
  fromCookies: z.array(name()).min(1).max(16).optional().describe("Cookies that may have the token"),
  forward: z.boolean().optional().describe("The application gets the token, too (false)"),
  forwardPayloadHeader: name()
    .optional()
    .describe("A header in which the application gets what the token says, base64url"),
  claimToHeaders: z
    .array(
      z.strictObject({
        claim: name().describe('Which claim; "a.b" is b in a'),
        header: name().describe("In which header the application gets it"),
      }),
    )
    .min(1)
    .max(32)
    .optional()
    .describe("Claims that the application gets as headers, in place of what the caller sent there"),
});
/** Somebody who makes tokens. */
export type Provider = z.infer<typeof providerSchema>;

const claimSchema = z.strictObject({
  claim: name().describe("Name of the claim"),
  within: z.array(name()).min(1).max(8).optional().describe("The objects it is in, from the outside in (none)"),
  values: z
    .array(z.union([z.string().max(4_096), z.number(), z.boolean()]))
    .min(1)
    .max(64)
    .describe("It is one of these, or a list with one of them; scope is a list of words"),
});
/** What a token must say. */
export type RequiredClaim = z.infer<typeof claimSchema>;

export const jwtSchema = z.strictObject({
  enabled: z.boolean().optional().describe("Whether tokens are asked for, once there are providers (true)"),
  providers: z.array(providerSchema).min(1).max(32).optional().describe("Who makes tokens"),
  require: z
    .strictObject({
      any: z.array(name()).min(1).max(32).optional().describe("A token of one of these providers"),
      all: z.array(name()).min(1).max(32).optional().describe("A token of each of these providers"),
    })
    .optional()
    .describe("Whose tokens a request needs (one of any provider)"),
  allowMissing: z.boolean().optional().describe("A request without any token passes; a wrong one never does (false)"),
  publicPaths: z
    .array(z.string().max(1_024))
    .max(64)
    .optional()
    .describe("Paths that need no token, with all below them: /public is also /public/a, not /publicity"),
  requireClaims: z.array(claimSchema).max(32).optional().describe("What the token has to say, all of it"),
});
/** Which tokens requests must carry. An absent field leaves what a weaker policy says. */
export type JwtConf = z.infer<typeof jwtSchema>;

export const itemSchema = z.strictObject({ default: jwtSchema.describe("Which tokens") });
