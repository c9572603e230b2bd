import { ClaimError, readText, readTexts, type Payload } from "./claim-readers.ts";

/** Which zone somebody speaks for, and as what: "cp" (control plane); Kuma 2.x knows "ingress" and "egress" as well. */
export interface ZoneClaims {
  readonly zone: string;
  readonly scope: readonly string[];
}

/** The claims as Kuma writes them. */
export function zonePayload(claims: ZoneClaims): Payload {
  return { Zone: claims.zone, Scope: claims.scope };
}

/** Reads Kuma's claims. Throws ClaimError. */
export function readZoneClaims(payload: Payload): ZoneClaims {
  const zone = readText(payload, "Zone");
  if (zone === "") throw new ClaimError('its claim "Zone" is missing, so it is not a zone token');
  return { zone, scope: readTexts(payload, "Scope") };
}
