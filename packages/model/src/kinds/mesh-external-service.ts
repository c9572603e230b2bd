import { isIP } from "node:net";
import { z } from "zod";
import { defineKind } from "../kind.ts";
import { pemFacts } from "../pem.ts";
import { port } from "../schema.ts";
import { checkSource, meaningOf, type SecureDataSource, secureDataSourceSchema } from "../secure-data-source.ts";
import type { Violation } from "../violation.ts";

/** From the oldest to the newest; TLSAuto is at home everywhere. */
const VERSIONS = ["TLSAuto", "TLS10", "TLS11", "TLS12", "TLS13"] as const;
const version = z.enum(VERSIONS);

const matchSchema = z.strictObject({
  type: z.enum(["HostnameGenerator"]).optional().describe("How it gets its host names (HostnameGenerator)"),
  port: port().describe("Port under which applications ask for it"),
  protocol: z.enum(["tcp", "grpc", "http", "http2"]).optional().describe("What is spoken (tcp)"),
});

const endpointSchema = z.strictObject({
  address: z.string().min(1).max(253).describe("Host name, IP address, or unix:///PATH of the proxy's machine"),
  port: port().optional().describe("Port; not with unix:///"),
  priority: z
    .int()
    .min(0)
    .max(128)
    .optional()
    .describe("The lowest is called first, the others when that one does not answer (0)"),
});

const verificationSchema = z.strictObject({
  mode: z
    .enum(["Secured", "SkipSAN", "SkipCA", "SkipAll"])
    .optional()
    .describe("Secured: authority and names. SkipSAN: any name. SkipCA, SkipAll: anybody (Secured)"),
  serverName: z.string().min(1).max(253).optional().describe("Server name to ask for (the endpoint's host name)"),
  subjectAltNames: z
    .array(
      z.strictObject({
        type: z.enum(["Exact", "Prefix"]).optional().describe("(Exact)"),
        value: z.string().min(1).max(253).describe("A DNS name or an IP address; with meshIdentity a SPIFFE ID"),
      }),
    )
    .optional()
    .describe("Names that its certificate may have in place of the server name"),
  caCert: secureDataSourceSchema.optional().describe("Whose certificates are accepted (those the system trusts)"),
  clientCert: secureDataSourceSchema.optional().describe("The certificate to show"),
  clientKey: secureDataSourceSchema.optional().describe("Its key"),
});

const tlsSchema = z.strictObject({
  enabled: z.boolean().optional().describe("Proxies speak TLS to it (false)"),
  version: z
    .strictObject({
      min: version.optional().describe("The oldest version that is used (TLSAuto)"),
      max: version.optional().describe("The newest version that is used (TLSAuto)"),
    })
    .optional()
    .describe("Which versions of TLS are used"),
  allowRenegotiation: z.boolean().optional().describe("Whether it may ask for another handshake (false)"),
  meshIdentity: z
    .boolean()
    .optional()
    .describe(
      "It is a proxy of another mesh: each proxy shows its own identity, and subjectAltNames are SPIFFE IDs of trust domains that a MeshTrust names (false)",
    ),
  verification: verificationSchema.optional().describe("Who the other side must be, and who the proxy is"),
});

export const meshExternalServiceSchema = z.strictObject({
  match: matchSchema.describe("What applications ask for"),
  endpoints: z.array(endpointSchema).optional().describe("Where it is"),
  tls: tlsSchema.optional().describe("How it is spoken to"),
  extension: z
    .strictObject({
      type: z.string().min(1).describe("Who serves it"),
      config: z.unknown().optional().describe("For the extension"),
    })
    .optional()
    .describe("Kept and not served: no proxy of Heddle knows an extension, so that requests are answered with 503"),
});
/** A service outside of the mesh. */
export type MeshExternalServiceSpec = z.infer<typeof meshExternalServiceSchema>;
export type ExternalTlsSpec = z.infer<typeof tlsSchema>;

/** Services outside of the mesh that proxies call for their applications. */
export const meshExternalService = defineKind<MeshExternalServiceSpec>({
  type: "MeshExternalService",
  path: "meshexternalservices",
  shortName: "extsvc",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh External Service",
  plural: "Mesh External Services",
  nameIsLabel: true,
  hasStatus: true,
  schema: meshExternalServiceSchema,
  check: checkSpec,
  warn: ({ extension, endpoints = [] }) => {
    if (extension !== undefined)
      return [`extension: "${extension.type}" is kept, and served by nobody here: requests are answered with 503`];
    return endpoints.length === 0 ? ["endpoints: there are none, so that requests are answered with 503"] : [];
  },
});

const UNIX = "unix://";

function checkSpec({ endpoints = [], tls, extension }: MeshExternalServiceSpec): readonly Violation[] {
  // What an extension makes of its endpoints and its TLS is for it to say.
  if (extension !== undefined) return checkSources(tls);
  return [
    ...endpoints.flatMap((each, index) => checkEndpoint(each, `endpoints[${index}]`)),
    ...checkMixture(endpoints),
    ...(tls === undefined
      ? []
      : [...checkVersions(tls), ...checkServerName(tls), ...checkSources(tls), ...checkIdentity(tls)]),
  ];
}

// What the mesh's own TLS decides, or would leave the other side unverified, has no meaning beside it.
function checkIdentity({ enabled, meshIdentity, version, allowRenegotiation, verification = {} }: ExternalTlsSpec) {
  if (meshIdentity !== true) return [];
  const { mode = "Secured", subjectAltNames = [], caCert, clientCert, clientKey } = verification;
  const others = { version, allowRenegotiation, verification: { caCert, clientCert, clientKey } };
  return [
    ...(enabled === true ? [] : [{ field: "tls.enabled", message: "must be true with meshIdentity" }]),
    ...(mode === "Secured"
      ? []
      : [
          {
            field: "tls.verification.mode",
            message: "must be Secured with meshIdentity: the server's identity counts",
          },
        ]),
    ...setFields(others, "tls").map((field) => ({
      field,
      message: "must not be set with meshIdentity: identity, authorities and versions are those of the mesh",
    })),
    ...(subjectAltNames.length > 0
      ? []
      : [{ field: "tls.verification.subjectAltNames", message: "must name the SPIFFE IDs of the server" }]),
    ...subjectAltNames.flatMap(({ type = "Exact", value }, index): readonly Violation[] => {
      const field = `tls.verification.subjectAltNames[${index}]`;
      if (type !== "Exact") return [{ field: `${field}.type`, message: "must be Exact with meshIdentity" }];
      if (SPIFFE_ID.test(value)) return [];
      return [{ field: `${field}.value`, message: 'must be a SPIFFE ID, such as "spiffe://example.org/workload/web"' }];
    }),
  ];
}

// https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, sections 2.1 and 2.2
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;

function setFields(values: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const field = `${path}.${name}`;
    return name === "verification" ? setFields(value as Record<string, unknown>, field) : [field];
  });
}

type Endpoint = z.infer<typeof endpointSchema>;

function checkEndpoint({ address, port: number }: Endpoint, field: string): readonly Violation[] {
  if (isPipe({ address })) {
    if (!/^unix:\/\/\/[^\0]+$/.test(address))
      return [{ field: `${field}.address`, message: 'must be an absolute path, such as "unix:///run/app.sock"' }];
    return number === undefined
      ? []
      : [{ field: `${field}.port`, message: "must not be set with unix:///: a socket file has no port" }];
  }
  if (isIP(address) === 0 && !isHostName(address))
    return [{ field: `${field}.address`, message: "must be a host name, an IP address or unix:///PATH" }];
  return number === undefined ? [{ field: `${field}.port`, message: "must be set" }] : [];
}

/** Whether an endpoint is a socket file. */
export function isPipe({ address }: Pick<Endpoint, "address">): boolean {
  return address.startsWith(UNIX);
}

/** The path of an endpoint that is a socket file. */
export function pipePath(address: string): string {
  return address.slice(UNIX.length);
}

// Envoy looks names up for a cluster as a whole, and there is no looking up of files.
function checkMixture(endpoints: readonly Endpoint[]): readonly Violation[] {
  const isName = ({ address }: Endpoint): boolean => !isPipe({ address }) && isIP(address) === 0;
  const pipe = endpoints.findIndex(isPipe);
  if (pipe === -1 || !endpoints.some(isName)) return [];
  const message = "must not stand beside a host name; put socket files into a MeshExternalService of their own";
  return [{ field: `endpoints[${pipe}].address`, message }];
}

function isHostName(text: string): boolean {
  return /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/.test(text);
}

function checkVersions({ version: { min = "TLSAuto", max = "TLSAuto" } = {} }: ExternalTlsSpec): readonly Violation[] {
  if (max === "TLSAuto" || VERSIONS.indexOf(min) <= VERSIONS.indexOf(max)) return [];
  return [{ field: "tls.version.min", message: `must not be newer than max, which is ${max}` }];
}

function checkServerName({ verification: { serverName } = {} }: ExternalTlsSpec): readonly Violation[] {
  if (serverName === undefined || (isIP(serverName) === 0 && isHostName(serverName))) return [];
  return [{ field: "tls.verification.serverName", message: "must be a DNS name" }];
}

function checkSources({ verification = {} }: ExternalTlsSpec = {}): readonly Violation[] {
  const { caCert, clientCert, clientKey } = verification;
  const field = "tls.verification";
  const alone = (has: string, lacks: string): Violation => ({
    field: `${field}.${lacks}`,
    message: `must be set with ${has}: one is of no use without the other`,
  });
  return [
    ...(clientCert !== undefined && clientKey === undefined ? [alone("clientCert", "clientKey")] : []),
    ...(clientKey !== undefined && clientCert === undefined ? [alone("clientKey", "clientCert")] : []),
    ...checkPem(caCert, `${field}.caCert`, "certificate"),
    ...checkPem(clientCert, `${field}.clientCert`, "certificate"),
    ...checkPem(clientKey, `${field}.clientKey`, "key"),
  ];
}

function checkPem(
  source: SecureDataSource | undefined,
  field: string,
  holds: "certificate" | "key",
): readonly Violation[] {
  if (source === undefined) return [];
  const violations = checkSource(source, field);
  if (violations.length > 0) return violations;
  const meaning = meaningOf(source);
  if (meaning.from === "secret" || pemFacts(meaning.text)[holds]) return [];
  const what = holds === "certificate" ? "certificates" : "a private key without a password";
  return [{ field, message: `must hold ${what} in PEM` }];
}
