import { AsnConvert } from "@peculiar/asn1-schema";
import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from "@peculiar/asn1-x509";

/** Who a certificate is about, for people to read: identity itself is in the subject alternative names. */
export interface DistinguishedName {
  readonly organization?: string | undefined;
  readonly organizationalUnit?: string | undefined;
  readonly commonName?: string | undefined;
}

/** The encoded name. Parts that are absent or empty are left out; with none the name is the empty sequence. */
export function distinguishedName(name: DistinguishedName): Uint8Array {
  const parts = [
    attribute("2.5.4.10", name.organization),
    attribute("2.5.4.11", name.organizationalUnit),
    attribute("2.5.4.3", name.commonName),
  ];
  return new Uint8Array(AsnConvert.serialize(new Name(parts.flat())));
}

function attribute(type: string, text: string | undefined): RelativeDistinguishedName[] {
  if (text === undefined || text === "") return [];
  // X.520 allows 64 characters for each of the three. A trust domain may be longer; the name is only for people, so cut.
  const value = new AttributeValue({ utf8String: text.slice(0, 64) });
  return [new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value })])];
}
