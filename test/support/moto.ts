import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, request as forward, type Server, type ServerResponse } from "node:http";
import {
  ACMPCAClient,
  CreateCertificateAuthorityCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
} from "@aws-sdk/client-acm-pca";
import { bringMoto } from "../../scripts/setup/test-tools.mjs";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import type { Ending } from "./lab.ts";

/** An error as AWS answers it. */
export interface AwsError {
  readonly type: string;
  readonly status?: number;
  readonly message?: string;
}

/** A stand-in for AWS: moto's emulation of AWS Private CA, behind a door that can be closed or answer with errors. */
export interface Aws {
  /** For AWS_ENDPOINT_URL_ACM_PCA. */
  readonly url: string;
  /** How often each operation was asked for, the answers with errors among them. */
  readonly asked: Map<string, number>;
  /** Says which operations are answered with an error; undefined lets moto answer. */
  fault: (operation: string) => AwsError | undefined;
  /** Makes a root authority; tells its ARN. */
  authority(): Promise<string>;
  /** Connections end, and new ones are refused. */
  close(): Promise<void>;
  /** The other way round. */
  reopen(): Promise<void>;
}

const START = "import sys; from moto.server import main; main(sys.argv[1:])";
const REGION = "eu-central-1";

/** Starts one that ends with the test; the settings that AWS' clients read from the environment point to it. */
export async function startAws(t: Ending): Promise<Aws> {
  const folder = await bringMoto();
  const [motoPort = 0, port = 0] = await freePorts(2);
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "" };
  const child = spawn("python3", ["-c", START, "-H", "127.0.0.1", "-p", String(motoPort)], { env });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  t.after(() => child.kill("SIGKILL"));
  await eventually(async () => {
    assert.equal(child.exitCode, null, `moto ended:\n${output}`);
    assert.ok((await fetch(`http://127.0.0.1:${motoPort}/moto-api/`)).ok, `moto is not ready:\n${output}`);
  }, 60_000);
  const aws = door(port, motoPort);
  await aws.reopen();
  t.after(() => aws.close());
  setEnvironment(t, { AWS_ENDPOINT_URL_ACM_PCA: aws.url });
  return aws;
}

/** Sets variables of this process until the test ends. */
export function setEnvironment(t: Ending, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

function door(port: number, motoPort: number): Aws {
  const url = `http://127.0.0.1:${port}`;
  const asked = new Map<string, number>();
  let server: Server | undefined;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const operation = String(request.headers["x-amz-target"] ?? "").replace(/^.*\./, "");
    asked.set(operation, (asked.get(operation) ?? 0) + 1);
    const fault = aws.fault(operation);
    if (fault !== undefined) return refuse(request, response, fault);
    const { method = "", url: path = "", headers } = request;
    const onward = forward({ host: "127.0.0.1", port: motoPort, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  };
  const aws: Aws = {
    url,
    asked,
    fault: () => undefined,
    authority: () => makeAuthority(url),
    close: async () => {
      server?.closeAllConnections();
      await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
      server = undefined;
    },
    reopen: async () => {
      server = createServer(serve);
      await new Promise<void>((resolve) => server?.listen(port, "127.0.0.1", resolve));
    },
  };
  return aws;
}

function refuse(request: IncomingMessage, response: ServerResponse, { type, status = 400, message }: AwsError): void {
  request.resume();
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": type });
  response.end(JSON.stringify({ __type: type, message: message ?? type }));
}

async function makeAuthority(endpoint: string): Promise<string> {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new ACMPCAClient({ region: REGION, endpoint, credentials });
  const { CertificateAuthorityArn } = await client.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: "ROOT",
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: "RSA_2048",
        SigningAlgorithm: "SHA256WITHRSA",
        Subject: { CommonName: "mesh default", Organization: "Heddle" },
      },
    }),
  );
  const { Csr = "" } = await client.send(new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn }));
  const { CertificateArn } = await client.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn,
      Csr: Buffer.from(Csr),
      SigningAlgorithm: "SHA256WITHRSA",
      TemplateArn: "arn:aws:acm-pca:::template/RootCACertificate/V1",
      Validity: { Type: "YEARS", Value: 1 },
    }),
  );
  const { Certificate = "" } = await client.send(
    new GetCertificateCommand({ CertificateAuthorityArn, CertificateArn }),
  );
  const imported = { CertificateAuthorityArn, Certificate: Buffer.from(Certificate) };
  await client.send(new ImportCertificateAuthorityCertificateCommand(imported));
  client.destroy();
  return CertificateAuthorityArn ?? "";
}
