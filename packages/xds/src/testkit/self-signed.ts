import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { TlsIdentity } from "../server.ts";

/**
 * A self-signed certificate for "localhost" and 127.0.0.1, valid for a day around now: enough for tests and benchmarks on
 * loopback. Written out in DER by hand (RFC 5280), since Node can read certificates but not make them.
 */
export function selfSigned(): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("localhost")))));
  const algorithm = sequence(ECDSA_WITH_SHA256);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(-DAY_MILLIS / 2), time(DAY_MILLIS / 2)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, der(0x04, sequence(der(0x82, Buffer.from("localhost")), LOOPBACK))))),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign("sha256", body, privateKey)]);
  const certificate = sequence(body, algorithm, der(0x03, signature));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  };
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

/** Tag, length, value. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...derLength(value.length)]), value]);
}

/** In as few bytes as possible: BoringSSL insists. */
function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/** UTCTime: "261123150000Z". */
function time(offsetMillis: number): Buffer {
  const text = new Date(Date.now() + offsetMillis).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(text.slice(2)));
}

const DAY_MILLIS = 86_400_000;
const COMMON_NAME = Buffer.from("0603550403", "hex"); // 2.5.4.3
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex"); // 2.5.29.17
const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex"); // 1.2.840.10045.4.3.2
const LOOPBACK = der(0x87, Buffer.from([127, 0, 0, 1]));
