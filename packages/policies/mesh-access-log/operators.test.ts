import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import { whyNotFormat, withKumaValues } from "./format.ts";
import { ENVOY_OPERATORS, KUMA_OPERATORS, type KumaOperator } from "./operators.ts";

/** What stands in parentheses where not everything may. */
const PARAMETERS: Readonly<Record<string, string>> = {
  CEL: "request.path",
  COALESCE: '{"operators": ["HOSTNAME"]}',
  ENVIRONMENT: "HOSTNAME",
  COMMON_DURATION: "DS_RX_BEG:DS_TX_END:us",
  GRPC_STATUS: "SNAKE_STRING",
  METADATA: "ROUTE:envoy.lb:zone",
  PATH: "NQ:ORIG_OR_PATH",
  QUERY_PARAMS: "DECODED",
  XFCC_VALUE: "uri",
};
const FORMATS = Object.entries(ENVOY_OPERATORS).flatMap(([name, { parameters, length }]) => {
  const full = `%${name}(${PARAMETERS[name] ?? "x"})`;
  return [
    ...(parameters === "required" ? [] : [`%${name}%`]),
    ...(parameters === "none" ? [] : [`${full}%`]),
    ...(length && parameters !== "none" ? [`${full}:5%`] : []),
  ];
});

test("whyNotFormat() knows every operator of a real Envoy, with all that it may take", async () => {
  const formats = [...FORMATS, "100%%", "%%%START_TIME(%s.%3f)%%%", "%REQ(X-A?:PATH):10%", "%FILTER_STATE(a:FIELD:b)%"];
  for (const format of formats) assert.equal(whyNotFormat(format), undefined, format);
  assert.equal(await envoyRefuses(formats.join(" ")), undefined);
});

const refused = [
  "%NOPE%",
  "%REQ%",
  "%REQ()%",
  "%REQ(a?b?c)%",
  "%REQ(a b)%",
  "%REQ(a):%",
  "%REQ(a",
  "%req(a)%",
  "%BYTES_SENT(x)%",
  "%BYTES_SENT:5%",
  "%START_TIME(%n)%",
  "%START_TIME:5%",
  "%FILTER_STATE(a:FIELD)%",
  "%FILTER_STATE(a:OTHER)%",
  "%COMMON_DURATION(a:b:s)%",
  "%METADATA(nope:a)%",
  "%GRPC_STATUS(nope)%",
  "%PATH(nope)%",
  "%PATH(NQ:nope)%",
  "%QUERY_PARAMS(nope)%",
  "%XFCC_VALUE(nope)%",
  "%COALESCE(nope)%",
  "%CLUSTER_METADATA(a):5%",
  "100% %START_TIME%",
  "%",
  "%START_TIME%%",
];

for (const format of refused) {
  test(`whyNotFormat() refuses ${format}, as Envoy does`, async () => {
    assert.notEqual(whyNotFormat(format), undefined);
    assert.notEqual(await envoyRefuses(format), undefined, "Envoy takes it");
  });
}

const FOR_OPERATORS_ONLY = [
  "%ENVIRONMENT(AWS_SECRET_ACCESS_KEY)%",
  "%ENVIRONMENT(PATH):3%",
  "%ENVIRONMENT(LOG_)%",
  "%ENVIRONMENT(XLOG_A)%",
  '%COALESCE({"operators": ["HOSTNAME", {"command": "ENVIRONMENT", "param": "TOKEN"}]})%',
  "%FILE_CONTENT(/etc/passwd)%",
  "%FILE_CONTENT(/etc/passwd:/etc)%",
];

for (const format of FOR_OPERATORS_ONLY) {
  test(`whyNotFormat() refuses ${format}: what is on the proxy's machine is not for whoever writes policies`, () => {
    assert.notEqual(whyNotFormat(format), undefined);
  });
}

test("whyNotFormat() takes variables that are meant for logs", () => {
  for (const name of ["HOSTNAME", "POD_NAME", "NODE_IP", "LOG_TEAM"]) {
    assert.equal(whyNotFormat(`%ENVIRONMENT(${name})%`), undefined);
  }
});

test("withKumaValues() replaces what is Kuma's, keeps what is Envoy's, and lets no value become an operator", () => {
  const values = Object.fromEntries(KUMA_OPERATORS.map((name) => [name, `<${name} 5%>`])) as Record<
    KumaOperator,
    string
  >;
  for (const name of KUMA_OPERATORS) {
    assert.equal(whyNotFormat(`%${name}%`), undefined);
    assert.equal(withKumaValues(`a%${name}%b`, values), `a<${name} 5%%>b`);
  }
  const others = "%%KUMA_MESH%% %START_TIME% %KUMA_NOPE% 100%%";
  assert.equal(withKumaValues(others, values), others);
  assert.notEqual(whyNotFormat("%KUMA_MESH(x)%"), undefined);
});

/** What a real Envoy says about a format; undefined when it takes it. */
async function envoyRefuses(format: string): Promise<string | undefined> {
  const { path } = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "heddle-format-"));
  try {
    const file = join(folder, "bootstrap.json");
    await writeFile(file, JSON.stringify(bootstrap(format)));
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    execFile(path, ["--mode", "validate", "-c", file, "-l", "error"], { timeout: 30_000 }, (error, _, complaint) =>
      resolve(error === null ? undefined : complaint || error.message),
    );
    return await promise;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function bootstrap(format: string): object {
  const accessLog = {
    name: "envoy.access_loggers.file",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: "/dev/null",
      logFormat: { textFormatSource: { inlineString: format } },
    },
  };
  const proxy = {
    name: "tcp",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      statPrefix: "tcp",
      cluster: "nowhere",
      accessLog: [accessLog],
    },
  };
  const address = { socketAddress: { address: "127.0.0.1", portValue: 10_000 } };
  return {
    staticResources: {
      listeners: [{ name: "tcp", address, filterChains: [{ filters: [proxy] }] }],
      clusters: [{ name: "nowhere", type: "STATIC" }],
    },
  };
}
