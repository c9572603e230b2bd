import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

/** Envoy's form of a time in milliseconds; undefined stays undefined: unset is not zero. */
export function duration(millis: number): Duration;
export function duration(millis: number | undefined): Duration | undefined;
export function duration(millis: number | undefined): Duration | undefined {
  if (millis === undefined) return undefined;
  const seconds = Math.trunc(millis / 1_000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((millis - seconds * 1_000) * 1e6) });
}
