import { isIP } from "node:net";
import { z } from "zod";
import { LABEL } from "../labels.ts";
import { stringMap, unquoted } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { compact, compactOrNothing, legacyKind, type Translation } from "./legacy-kind.ts";
import { checkTags } from "./selector.ts";

const dataSource = unquoted(
  z.strictObject({
    secret: z.string().min(1).optional().describe("Name of a Secret of the mesh"),
    file: z.string().min(1).optional().describe("File of the control plane's machine"),
    inline: unquoted(z.string()).optional().describe("The bytes, in base64"),
    inlineString: unquoted(z.string()).optional().describe("The text itself"),
  }),
);
type DataSource = z.infer<typeof dataSource>;
const tlsSchema = z.strictObject({
  enabled: z.boolean().optional().describe("The service speaks TLS (false)"),
  caCert: dataSource.optional().describe("Whose certificates are accepted (those that the system trusts)"),
  clientCert: dataSource.optional().describe("The certificate to show"),
  clientKey: dataSource.optional().describe("Its key"),
  allowRenegotiation: z.boolean().optional().describe("Whether the service may ask for another handshake (false)"),
  serverName: z.string().min(1).max(253).optional().describe("Server name to ask for (the address)"),
  skipHostnameVerification: z.boolean().optional().describe("Any name in its certificate will do (false)"),
});
type Tls = z.infer<typeof tlsSchema>;
const schema = z.strictObject({
  networking: z.strictObject({
    address: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[^:]+):\d{1,5}$/, 'must be HOST:PORT, such as "httpbin.org:443"')
      .describe("Where it is: HOST:PORT"),
    tls: tlsSchema.optional().describe("How it is spoken to"),
    disableHostDNSEntry: z.boolean().optional().describe("Its host name is not resolved to the mesh (false)"),
  }),
  tags: stringMap().describe("Its tags: kuma.io/service, and perhaps kuma.io/protocol"),
});
type Spec = z.infer<typeof schema>;

/** Kuma 2.x: a service outside of the mesh. */
export const externalService = legacyKind<Spec>({
  type: "ExternalService",
  path: "external-services",
  shortName: "es",
  singular: "External Service",
  plural: "External Services",
  isPolicy: false,
  schema,
  check,
  legacy: {
    becomes: ["MeshExternalService"],
    side: "proxy",
    choice: "all",
    translate: (spec, { name }) => translate(spec, name),
  },
});

const PROTOCOLS = ["tcp", "http", "http2", "grpc"];

function translate({ networking, tags }: Spec, name: string): Translation {
  const { host, port } = placeOf(networking.address);
  const protocol = tags[LABEL.protocol] ?? "tcp";
  const known = PROTOCOLS.includes(protocol) ? protocol : "tcp";
  const spec = {
    match: { type: "HostnameGenerator", port, protocol: known },
    endpoints: [{ address: host, port }],
    ...(networking.tls?.enabled === true && { tls: tlsOf(networking.tls, host) }),
  };
  return {
    policies: [{ type: "MeshExternalService", name, spec, rank: { tags: 0, exact: 0 }, itemRanks: [] }],
    notes: [
      `tags: who calls it, and policies, name MeshExternalService "${name}" today, and not ${LABEL.service}: ${tags[LABEL.service]}`,
      ...Object.keys(tags)
        .filter((key) => key !== LABEL.service && key !== LABEL.protocol)
        .map((key) => `tags["${key}"]: left out: a MeshExternalService is selected by its name and labels`),
      ...(known === protocol ? [] : [`tags["${LABEL.protocol}"]: ${protocol} is spoken as tcp`]),
      ...sourceNotes(networking.tls),
    ],
  };
}

function placeOf(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
}

function tlsOf({ allowRenegotiation, skipHostnameVerification, serverName, ...sources }: Tls, host: string): object {
  const caCert = sources.caCert && sourceOf(sources.caCert);
  const clientCert = sources.clientCert && sourceOf(sources.clientCert);
  const clientKey = sources.clientKey && sourceOf(sources.clientKey);
  return compact({
    enabled: true,
    allowRenegotiation,
    verification: compactOrNothing({
      mode: skipHostnameVerification === true ? "SkipSAN" : undefined,
      serverName: serverName ?? (isIP(host) === 0 ? host : undefined),
      caCert,
      // One without the other is of no use.
      ...(clientCert !== undefined && clientKey !== undefined && { clientCert, clientKey }),
    }),
  });
}

function sourceOf({ secret, inline, inlineString }: DataSource): object | undefined {
  if (secret !== undefined) return { type: "Secret", secretRef: { kind: "Secret", name: secret } };
  const text = inlineString ?? (inline === undefined ? undefined : Buffer.from(inline, "base64").toString("utf8"));
  return text === undefined ? undefined : { type: "InsecureInline", insecureInline: { value: text } };
}

function sourceNotes({ caCert, clientCert, clientKey }: Tls = {}): readonly string[] {
  return Object.entries({ caCert, clientCert, clientKey }).flatMap(([field, source]) =>
    source?.file === undefined
      ? []
      : [`networking.tls.${field}.file: left out: put what ${source.file} holds into a Secret and name that`],
  );
}

function check({ networking: { address, tls }, tags }: Spec): readonly Violation[] {
  const { port } = placeOf(address);
  return [
    ...(port >= 1 && port <= 65_535
      ? []
      : [{ field: "networking.address", message: `must end with a port from 1 to 65535, not ${port}` }]),
    ...checkTags(tags, "tags", { service: true }),
    ...Object.entries(tags)
      .filter(([, value]) => value === "*")
      .map(([key]) => ({ field: `tags["${key}"]`, message: 'must be a value: "*" is for selectors' })),
    ...(tls === undefined ? [] : checkTls(tls)),
  ];
}

function checkTls(tls: Tls): readonly Violation[] {
  const wrong = (["caCert", "clientCert", "clientKey"] as const).filter(
    (field) =>
      tls[field] !== undefined && Object.values(tls[field]).filter((value) => value !== undefined).length !== 1,
  );
  const half = (tls.clientCert === undefined) !== (tls.clientKey === undefined);
  return [
    ...wrong.map((field) => ({
      field: `networking.tls.${field}`,
      message: "must have exactly one of secret, file, inline, inlineString",
    })),
    ...(half ? [{ field: "networking.tls", message: "must have both clientCert and clientKey, or neither" }] : []),
  ];
}
