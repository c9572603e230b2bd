import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { certificatePem } from "@heddle/identity/certificate.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { loadProvided } from "@heddle/identity/backends/provided/load-provided.ts";
import { issuedSchema, readIssued } from "@heddle/identity/backends/vault/issue.ts";
import { AuthorityFailure } from "@heddle/identity/backends/remote/authority-failure.ts";
import { issueToken } from "@heddle/identity/issue-token.ts";
import { generateSigningKey, readSigningKey, readVerificationKey } from "@heddle/identity/signing-key.ts";
import { verifyToken } from "@heddle/identity/verify-token.ts";
import { pemFacts } from "@heddle/model/pem.ts";
import { mutateBytes, mutateTree } from "../mutate.ts";
import type { Random } from "../random.ts";
import { allowing, fromTexts, holds, oneOf, type Target, type TargetPlan, textOf } from "../target.ts";

const NOW = new Date();
const KINDS = ["dataplane", "user", "zone"] as const;

const tokens: TargetPlan = { name: "tokens", share: 6, open: openTokens };

async function openTokens(): Promise<Target> {
  const key = createPrivateKey(await generateSigningKey());
  const life = { validForSeconds: 86_400 * 30, now: NOW };
  const signer = { kid: "1", key };
  const good = [
    await issueToken(
      "dataplane",
      { name: "web", mesh: "default", tags: { a: ["b"] }, type: "", workload: "" },
      signer,
      life,
    ),
    await issueToken("user", { name: "u", groups: ["g"] }, signer, life),
    await issueToken("zone", { zone: "z", scope: ["cp"] }, signer, life),
  ];
  const keys = new Map([["1", createPublicKey(key)]]);
  // Every hundredth is signed with the real key: claims that only its holder could have written.
  const resigned = (random: Random): Uint8Array => Buffer.from(sealed(random, good, key));
  return {
    name: "tokens",
    make: (random) =>
      random.oneIn(20) ? resigned(random) : oneOf(fromTexts(good), (chance) => reshaped(chance, good))(random),
    run: async (input) => {
      const text = textOf(input);
      for (const kind of KINDS) {
        const verified = await verifyToken(kind, text, { keys, revoked: new Set(), now: NOW });
        if (verified.ok) continue;
        holds(!verified.reason.includes(text.slice(-40)) || text.length < 60, "a reason does not quote the token");
      }
    },
  };
}

/** A token whose header or claims were changed, with the signature of before. */
function reshaped(random: Random, good: readonly string[]): Uint8Array {
  const [head = "", claims = "", signature = ""] = random.pick(good).split(".");
  const changed = (part: string): string =>
    random.oneIn(2) ? part : encode(mutateTree(decode(part), [decode(part)], random));
  return Buffer.from(`${changed(head)}.${changed(claims)}.${signature}`);
}

function sealed(random: Random, good: readonly string[], key: ReturnType<typeof createPrivateKey>): string {
  const [head = "", claims = ""] = random.pick(good).split(".");
  const text = `${head}.${encode(mutateTree(decode(claims), [decode(claims)], random))}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString()) as unknown;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value) ?? "null").toString("base64url");
}

const certificates: TargetPlan = { name: "certificates", share: 1, open: openCertificates };

async function openCertificates(): Promise<Target> {
  const pairs = await Promise.all(
    (["ecdsa-p256", "rsa-2048"] as const).map((type) => createCa(meshCaRequest("default", type, NOW))),
  );
  const [pair = { certificatePem: "", keyPem: "" }] = pairs;
  const texts = [
    ...pairs.flatMap((each) => [each.certificatePem, each.keyPem]),
    pairs.map((each) => each.certificatePem).join(""),
  ];
  const ders = pairs.map((each) => Buffer.from(each.certificatePem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64"));
  const inside = (random: Random): Uint8Array =>
    Buffer.from(certificatePem(mutateBytes(random.pick(ders), random.pick(ders), random).subarray(0, 8_000)));
  return {
    name: "certificates",
    make: oneOf(fromTexts(texts), inside, inside),
    run: (input) => {
      const text = textOf(input);
      loadCa({ certificatePem: text, keyPem: pair.keyPem }, NOW);
      loadProvided({ certificatePem: pair.certificatePem, keyPem: text }, NOW, "conf");
      pemFacts(text);
      readSigningKey(input);
      readVerificationKey(text);
    },
  };
}

const vaultAnswers: TargetPlan = { name: "vault-answers", share: 5, open: openVaultAnswers };

async function openVaultAnswers(): Promise<Target> {
  const { certificatePem: pem, keyPem } = await createCa(meshCaRequest("default", "ecdsa-p256", NOW));
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const answer = { data: { certificate: pem, private_key: keyPem, issuing_ca: pem, ca_chain: [pem, pem] } };
  return {
    name: "vault-answers",
    make: (random) => {
      const changed = certificatePem(mutateBytes(der, der, random).subarray(0, 8_000));
      const trees = [
        answer,
        { data: { ...answer.data, certificate: changed } },
        { data: { ...answer.data, ca_chain: [changed] } },
      ];
      return Buffer.from(JSON.stringify(mutateTree(random.pick(trees), trees, random)) ?? "null");
    },
    run: (input) => {
      const read = issuedSchema.safeParse(JSON.parse(textOf(input)));
      const request = { uris: [], usages: [], validitySeconds: 60, now: NOW } as const;
      if (read.success) allowing(() => readIssued(read.data, request), AuthorityFailure);
    },
  };
}

/** Who somebody is, and what proves it. */
export const IDENTITY_TARGETS = [tokens, certificates, vaultAnswers];
