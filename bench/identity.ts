/**
 * How fast the control plane issues certificates and checks tokens, and how long it holds up the event loop meanwhile.
 * Run: `node bench/identity.ts [certificates per case]`. One process, one JavaScript thread; the signatures run in the
 * thread pool. `CPU` is the processor time of all threads: 1000 divided by it is what one core can do in a second.
 */
import { generateKeyPairSync } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createCa, meshCaRequest, type Ca } from "@heddle/identity/ca.ts";
import { issueToken } from "@heddle/identity/issue-token.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import type { KeyType } from "@heddle/identity/key-pair.ts";
import { verifyToken } from "@heddle/identity/verify-token.ts";

const COUNT = Number(process.argv[2] ?? 2_000);
const IN_FLIGHT = 16;
const now = new Date();

for (const keyType of ["ecdsa-p256", "rsa-2048"] as const) {
  const ca = await newCa(keyType);
  await measure(`certificates, ${keyType} CA, one after the other`, 1, () => issueOne(ca));
  await measure(`certificates, ${keyType} CA, ${IN_FLIGHT} in flight`, IN_FLIGHT, () => issueOne(ca));
}
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const claims = { name: "backend-1", mesh: "default", tags: {}, type: "dataplane", workload: "backend" };
const token = await issueToken("dataplane", claims, { kid: "1", key: privateKey }, { validForSeconds: 3_600, now });
const context = { keys: new Map([["1", publicKey]]), revoked: new Set<string>(), now };
await measure(`dataplane tokens verified, ${IN_FLIGHT} in flight`, IN_FLIGHT, () =>
  verifyToken("dataplane", token, context),
);

async function newCa(keyType: KeyType): Promise<Ca> {
  const loaded = loadCa(await createCa(meshCaRequest("default", keyType, now)), now);
  if (!loaded.ok) throw new Error(`Cannot load the CA that was just made: ${JSON.stringify(loaded.violations)}`);
  return loaded.value;
}

function issueOne(ca: Ca): Promise<unknown> {
  const uris = ["spiffe://default/backend", "kuma://kuma.io/protocol/http", "kuma://kuma.io/service/backend"];
  return issueCertificate(ca, { uris, validitySeconds: 86_400, usages: ["server", "client"], now });
}

/** Runs the work `COUNT` times, so many at once, and prints one line. */
async function measure(title: string, inFlight: number, work: () => Promise<unknown>): Promise<void> {
  await repeat(200, inFlight, work);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const started = performance.now();
  const before = process.cpuUsage();
  delay.enable();
  await repeat(COUNT, inFlight, work);
  delay.disable();
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(before);
  const cpuMillis = (cpu.user + cpu.system) / 1000 / COUNT;
  console.log(
    `${title.padEnd(52)} ${(COUNT / seconds).toFixed(0).padStart(6)}/s  CPU ${cpuMillis.toFixed(2)} ms each ` +
      `(${(1000 / cpuMillis).toFixed(0)}/s a core)  event loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  );
}

async function repeat(count: number, inFlight: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
