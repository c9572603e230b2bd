import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { DeltaResponse } from "./events.ts";
import { grpcPrefix } from "./grpc-frame.ts";

/**
 * A DeltaDiscoveryResponse as a gRPC message, in pieces to be written one after the other. The bytes of big resources are
 * in there as they are; small ones are copied together, since a piece of its own costs more than the copy.
 */
export function encodeResponse(response: DeltaResponse): readonly Uint8Array[] {
  const head = encodeHead(response);
  let length = head.length;
  for (const { bytes } of response.resources) length += fieldLength(bytes.length);
  const pieces = new Pieces();
  pieces.add(grpcPrefix(length));
  pieces.add(head);
  for (const { bytes } of response.resources) {
    pieces.add(fieldHead(RESPONSE.resources, bytes.length));
    pieces.add(bytes);
  }
  return pieces.finish();
}

function encodeHead({ typeUrl, nonce, removed }: DeltaResponse): Uint8Array {
  const writer = new BinaryWriter()
    .tag(RESPONSE.typeUrl, WireType.LengthDelimited)
    .string(typeUrl)
    .tag(RESPONSE.nonce, WireType.LengthDelimited)
    .string(nonce);
  for (const name of removed) writer.tag(RESPONSE.removed, WireType.LengthDelimited).string(name);
  return writer.finish();
}

/** Joins small neighbours into one piece and leaves big ones alone. */
class Pieces {
  readonly #done: Uint8Array[] = [];
  #small: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    if (bytes.length < WORTH_SHARING) {
      this.#small.push(bytes);
      return;
    }
    this.#flush();
    this.#done.push(bytes);
  }

  finish(): readonly Uint8Array[] {
    this.#flush();
    return this.#done;
  }

  #flush(): void {
    if (this.#small.length > 0) this.#done.push(Buffer.concat(this.#small));
    this.#small = [];
  }
}

/** Tag and length in front of a length-delimited field with a number below 16. */
function fieldHead(field: number, length: number): Uint8Array {
  const head = [(field << 3) | WireType.LengthDelimited];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Uint8Array.from(head);
}

function fieldLength(length: number): number {
  return fieldHead(RESPONSE.resources, length).length + length;
}

/** Field numbers of envoy.service.discovery.v3.DeltaDiscoveryResponse. */
const RESPONSE = { resources: 2, typeUrl: 4, nonce: 5, removed: 6 } as const;

/** Bytes. Node takes about as long for one more piece as for copying this much. */
const WORTH_SHARING = 4_096;
