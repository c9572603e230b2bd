import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "@heddle/envoy/find-envoy.ts";
import { createServerCertificate } from "@heddle/identity/server-certificate.ts";
import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";
import { bootstrapYaml, envoyBootstrap } from "./envoy-bootstrap.ts";

test("adsGrpcService() makes Envoy send an inline token", async (t) => {
  const ads = await startAds(t);
  await startEnvoy(t, ads, { dataplaneToken: "token" });
  assert.equal(await ads.next(), "token");
});

test("adsHttpFilters() make Envoy send the token of its file, and a renewed one on the next stream", async (t) => {
  const ads = await startAds(t);
  await writeToken(ads.folder, "first");
  await startEnvoy(t, ads, { dataplaneToken: "first", features: [TOKEN_SECRET.feature] });
  assert.equal(await ads.next(), "first");
  await writeToken(ads.folder, "second");
  ads.disconnect();
  assert.equal(await ads.next(), "second");
});

test("adsGrpcService() brings Envoy back soon to a control plane that was away", async (t) => {
  const ads = await startAds(t);
  await writeToken(ads.folder, "token");
  await startEnvoy(t, ads, { features: [TOKEN_SECRET.feature] });
  assert.equal(await ads.next(), "token");
  await ads.stop();
  await sleep(6_000);
  await ads.start();
  const startedAt = performance.now();
  assert.equal(await ads.next(), "token");
  const tookMs = performance.now() - startedAt;
  // Pauses of at most 5 s, and a machine that does other things as well; by default Envoy waits for up to 30 s.
  assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
});

/** As a launcher does it: a secret that points to a file, and the file moved into place. */
async function writeToken(folder: string, token: string): Promise<void> {
  const filename = join(folder, "token");
  await writeFile(`${filename}.new`, token);
  await rename(`${filename}.new`, filename);
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
  const secret = { "@type": type, name: TOKEN_SECRET.name, genericSecret: { secret: { filename } } };
  await writeFile(join(folder, TOKEN_SECRET.file), JSON.stringify({ resources: [secret] }));
}

interface Ads {
  readonly folder: string;
  readonly port: number;
  readonly caPem: string;
  /** The `authorization` of the next ADS stream. */
  next(): Promise<string | undefined>;
  /** Ends all streams, as a control plane does that wants its proxies elsewhere. */
  disconnect(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A server that accepts every ADS stream and says nothing on it. */
async function startAds(t: TestContext): Promise<Ads> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-ads-"));
  const made = await createServerCertificate({
    usage: "server",
    commonName: "ads",
    hosts: ["localhost", "127.0.0.1"],
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  assert.ok(made.ok);
  const { certificatePem, keyPem } = made.value;
  const streams = new Set<ServerHttp2Stream>();
  const seen: (string | undefined)[] = [];
  const listen = async (port: number): Promise<Http2SecureServer> => {
    const listening = createSecureServer({ cert: certificatePem, key: keyPem });
    listening.on("stream", (stream: ServerHttp2Stream, headers) => {
      stream.on("error", () => undefined).on("close", () => streams.delete(stream));
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14" }));
      streams.add(stream);
      seen.push(headers["authorization"]);
    });
    await once(listening.listen(port, "127.0.0.1"), "listening");
    return listening;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const sessions = new Set([...streams].map((stream) => stream.session));
    for (const session of sessions) session?.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    port,
    caPem: certificatePem,
    next: async () => {
      const deadline = performance.now() + 20_000;
      while (seen.length === 0) {
        assert.ok(performance.now() < deadline, "no stream came");
        await sleep(20);
      }
      return seen.shift();
    },
    disconnect: () => {
      for (const stream of streams) stream.end();
    },
    stop,
    start: async () => {
      server = await listen(port);
    },
  };
}

async function startEnvoy(t: TestContext, ads: Ads, token: Partial<BootstrapRequest>): Promise<void> {
  const request: BootstrapRequest = {
    mesh: "default",
    name: "x",
    proxyType: "dataplane",
    version: {},
    dynamicMetadata: {},
    appProbeProxyEnabled: false,
    features: [],
    ipv6Enabled: true,
    workdir: ads.folder,
    ...token,
  };
  const file = join(ads.folder, "bootstrap.yaml");
  await writeFile(
    file,
    bootstrapYaml(envoyBootstrap(request, { xdsHost: "localhost", xdsPort: ads.port, caPem: ads.caPem })),
  );
  const { path } = await findEnvoy();
  const envoy = spawn(path, ["-c", file, "--disable-hot-restart", "--concurrency", "1", "-l", "error"], {
    stdio: "ignore",
  });
  t.after(() => {
    envoy.kill("SIGKILL");
    return once(envoy, "exit");
  });
}
