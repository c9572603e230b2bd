/**
 * The little of DER (X.690) that a certificate is assembled with. What is complicated (names, addresses, bit fields) is
 * encoded by @peculiar/asn1-x509; putting the encoded pieces together here makes a leaf three times cheaper than
 * letting the library walk the whole tree.
 */

/** A constructed list of already encoded elements. */
export function sequence(elements: readonly Uint8Array[]): Buffer {
  return element(0x30, elements);
}

/** The context-specific wrapper `[number]`, explicit. */
export function explicit(number: number, content: Uint8Array): Buffer {
  return element(0xa0 | number, [content]);
}

/** A positive integer from its big-endian bytes. */
export function positiveInteger(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const significant = first === -1 ? Uint8Array.of(0) : bytes.subarray(first);
  // A leading bit of one would mean a negative number.
  const padding = (significant[0] ?? 0) > 0x7f ? [Uint8Array.of(0)] : [];
  return element(0x02, [...padding, significant]);
}

/** A bit string of whole bytes, such as a signature. */
export function bitString(bytes: Uint8Array): Buffer {
  return element(0x03, [NO_UNUSED_BITS, bytes]);
}

const NO_UNUSED_BITS = Uint8Array.of(0);

function element(tag: number, contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...contents]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  return [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
}
