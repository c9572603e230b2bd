import { create } from "@bufbuild/protobuf";
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType,
  FractionalPercentSchema,
  type Percent,
  PercentSchema,
} from "@heddle/envoy/gen/envoy/type/v3/percent_pb.js";
import {
  type RuntimeFractionalPercent,
  RuntimeFractionalPercentSchema,
} from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";

/** A share of 0 to 100 percent, in the form of thresholds such as the panic threshold. */
export function percent(share: number): Percent {
  return create(PercentSchema, { value: share });
}

/**
 * A share of 0 to 100 percent, in the form of things that are decided by chance a request at a time. Envoy counts it in
 * whole parts; the coarsest denominator that holds the share is taken, and finer than a millionth is rounded.
 */
export function fractionalPercent(share: number): FractionalPercent {
  const { HUNDRED, TEN_THOUSAND, MILLION } = FractionalPercent_DenominatorType;
  if (Number.isInteger(share)) return create(FractionalPercentSchema, { numerator: share, denominator: HUNDRED });
  const hundredths = Math.round(share * 100);
  if (hundredths / 100 === share) {
    return create(FractionalPercentSchema, { numerator: hundredths, denominator: TEN_THOUSAND });
  }
  return create(FractionalPercentSchema, { numerator: Math.round(share * 10_000), denominator: MILLION });
}

/** The same where Envoy would let its runtime override the share; ours never does. */
export function runtimePercent(share: number): RuntimeFractionalPercent {
  return create(RuntimeFractionalPercentSchema, { defaultValue: fractionalPercent(share) });
}
