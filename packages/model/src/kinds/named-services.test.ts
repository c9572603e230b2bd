import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kind, kindRegistry } from "../kind.ts";
import { parseResource } from "../parse-resource.ts";
import { CORE_KINDS } from "./index.ts";
import { meshExternalService } from "./mesh-external-service.ts";

const kinds = kindRegistry(CORE_KINDS);

function violations(type: string, spec: unknown): readonly string[] {
  const name = type === "HostnameGenerator" ? { name: "x" } : { name: "x", mesh: "default" };
  const parsed = parseResource(kinds, { type, ...name, spec });
  return parsed.ok ? [] : parsed.violations.map(({ field, message }) => `${field}: ${message}`);
}

const match = { type: "HostnameGenerator", port: 443, protocol: "http" };
const external = (rest: object): readonly string[] => violations("MeshExternalService", { match, ...rest });
const verified = (verification: object): readonly string[] =>
  external({ endpoints: [{ address: "a.example", port: 443 }], tls: { enabled: true, verification } });

test("MeshExternalService takes host names, addresses and socket files, with priorities and TLS", () => {
  const endpoints = [
    { address: "httpbin.org", port: 443 },
    { address: "2001:db8::1", port: 443, priority: 128 },
  ];
  const tls = {
    enabled: true,
    version: { min: "TLS12", max: "TLS13" },
    allowRenegotiation: false,
    verification: {
      mode: "Secured",
      serverName: "httpbin.org",
      subjectAltNames: [{ value: "httpbin.org" }, { type: "Prefix", value: "http" }],
      caCert: { secret: "ca" },
      clientCert: { type: "Secret", secretRef: { kind: "Secret", name: "cert" } },
      clientKey: { secret: "key" },
    },
  };
  assert.deepEqual(external({ endpoints, tls }), []);
  assert.deepEqual(external({ endpoints: [{ address: "unix:///run/app.sock" }] }), []);
  assert.deepEqual(violations("MeshExternalService", { match: { port: 80 } }), []);
});

test("MeshExternalService says what is wrong with where it is", () => {
  const endpoints = [
    { address: "not a host", port: 80 },
    { address: "a.example" },
    { address: "10.0.0.1" },
    { address: "unix:///run/app.sock", port: 80 },
    { address: "unix://relative" },
    { address: "b.example", port: 80, priority: 129 },
  ];
  assert.deepEqual(external({ endpoints: endpoints.slice(5) }), [
    "spec.endpoints[0].priority: must be at most 128, not 129",
  ]);
  assert.deepEqual(external({ endpoints: endpoints.slice(0, 5) }), [
    "spec.endpoints[0].address: must be a host name, an IP address or unix:///PATH",
    "spec.endpoints[1].port: must be set",
    "spec.endpoints[2].port: must be set",
    "spec.endpoints[3].port: must not be set with unix:///: a socket file has no port",
    'spec.endpoints[4].address: must be an absolute path, such as "unix:///run/app.sock"',
    "spec.endpoints[3].address: must not stand beside a host name; put socket files into a MeshExternalService of their own",
  ]);
});

test("MeshExternalService says what is wrong with its TLS", () => {
  const endpoints = [{ address: "a.example", port: 443 }];
  assert.deepEqual(external({ endpoints, tls: { version: { min: "TLS13", max: "TLS12" } } }), [
    "spec.tls.version.min: must not be newer than max, which is TLS12",
  ]);
  assert.deepEqual(verified({ serverName: "10.0.0.1" }), ["spec.tls.verification.serverName: must be a DNS name"]);
  assert.deepEqual(verified({ clientCert: { secret: "a" } }), [
    "spec.tls.verification.clientKey: must be set with clientCert: one is of no use without the other",
  ]);
  assert.deepEqual(verified({ caCert: {} }), [
    "spec.tls.verification.caCert: must have exactly one of secretRef, insecureInline, secret, inline, inlineString",
  ]);
  assert.deepEqual(verified({ caCert: { secretRef: { name: "ca" } } }), [
    "spec.tls.verification.caCert.type: must be Secret with secretRef",
  ]);
  assert.deepEqual(verified({ caCert: { type: "InsecureInline", insecureInline: { value: "hello" } } }), [
    "spec.tls.verification.caCert: must hold certificates in PEM",
  ]);
  assert.match(verified({ caCert: { type: "File", file: { path: "/etc/passwd" } } }).join(), /type: must be one of/);
});

test("what an extension is for is kept, with a warning", () => {
  const spec = {
    match: { port: 80 },
    extension: { type: "Lambda", config: { arn: "x" } },
    endpoints: [{ address: "?" }],
  };
  assert.deepEqual(violations("MeshExternalService", spec), []);
  const kind = meshExternalService as Kind;
  assert.deepEqual(kind.warn?.(spec), [
    'extension: "Lambda" is kept, and served by nobody here: requests are answered with 503',
  ]);
  assert.deepEqual(kind.warn?.({ match: { port: 80 } }), [
    "endpoints: there are none, so that requests are answered with 503",
  ]);
});

test("MeshMultiZoneService says which services it is and what is asked for", () => {
  const selector = { meshService: { matchLabels: { app: "web" } } };
  const ports = [{ port: 80, appProtocol: "http" }];
  assert.deepEqual(violations("MeshMultiZoneService", { selector, ports }), []);
  assert.deepEqual(violations("MeshMultiZoneService", { selector: { meshService: { matchLabels: {} } }, ports: [] }), [
    "spec.selector.meshService.matchLabels: must not be empty: it says which",
    "spec.ports: must not be empty: nothing could be asked for",
  ]);
  assert.deepEqual(violations("MeshMultiZoneService", { selector, ports: [...ports, ...ports] }), [
    "spec.ports[1].port: must be unique: 80 is there already",
  ]);
});

test("HostnameGenerator means one kind of service, and makes host names", () => {
  const selector = { meshService: { matchLabels: { app: "web" } } };
  const template = "{{ .DisplayName }}.mesh";
  assert.deepEqual(violations("HostnameGenerator", { selector, template }), []);
  assert.deepEqual(violations("HostnameGenerator", { selector: {}, template }), [
    "spec.selector: must have exactly one of meshService, meshExternalService, meshMultiZoneService",
  ]);
  assert.deepEqual(violations("HostnameGenerator", { selector, template: "{{ .DisplayName }}_" }), [
    'spec.template: must make a host name: "displayname_" is not a DNS name of lower-case letters, digits, "-" and "."',
  ]);
});
