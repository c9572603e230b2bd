import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { any } from "@heddle/envoy/any.ts";
import {
  ApplicationProtocolInputSchema,
  DestinationIPInputSchema,
  DestinationPortInputSchema,
  ServerNameInputSchema,
  TransportProtocolInputSchema,
} from "@heddle/envoy/gen/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js";
import { IpSchema } from "@heddle/envoy/gen/envoy/extensions/matching/input_matchers/ip/v3/ip_pb.js";
import type {
  Matcher_MatcherList_FieldMatcherSchema,
  Matcher_MatcherList_PredicateSchema,
  MatcherSchema,
} from "@heddle/envoy/gen/xds/type/matcher/v3/matcher_pb.js";
import type { StringMatcherSchema } from "@heddle/envoy/gen/xds/type/matcher/v3/string_pb.js";
import type { AddressRange, PassthroughChain } from "../plan/passthrough.ts";
import type { Init } from "./common.ts";

type Predicate = Init<typeof Matcher_MatcherList_PredicateSchema>;
type FieldMatcher = Init<typeof Matcher_MatcherList_FieldMatcherSchema>;

/** What decides which chain takes a connection. */
export interface ChainChoice {
  /** The listener's own addresses and port, and the chain that closes what was sent there. */
  readonly itself: readonly AddressRange[];
  readonly port: number;
  readonly nowhere: string;
  readonly chains: readonly PassthroughChain[];
}

/**
 * Picks the first chain that fits. The matches that chains can have themselves would not do: there Envoy settles on the
 * most specific port, then address, and does not come back when the server name is another's.
 */
export function chainMatcher({ itself, port, nowhere, chains }: ChainChoice): Init<typeof MatcherSchema> {
  const matchers = [
    onMatch([isPort(port), inRanges(itself, nowhere)], nowhere),
    ...chains.map((chain) => onMatch(predicates(chain), chain.name)),
  ];
  return { matcherType: { case: "matcherList", value: { matchers } } };
}

function predicates({ when: { port, range, tls, http }, name }: PassthroughChain): Predicate[] {
  return [
    ...(port === undefined ? [] : [isPort(port)]),
    ...(range === undefined ? [] : [inRanges([range], name)]),
    ...(tls === undefined ? [] : [transport("tls")]),
    ...(tls?.serverName === undefined ? [] : [serverName(tls.serverName)]),
    // TLS tells of its inner protocols too, so readable HTTP has to be said to be without.
    ...(http === true ? [transport("raw_buffer"), readableHttp()] : []),
  ];
}

function onMatch(all: Predicate[], chain: string): FieldMatcher {
  const [first] = all;
  const predicate: Predicate =
    all.length < 2 && first !== undefined ? first : { matchType: { case: "andMatcher", value: { predicate: all } } };
  const action = { name: "chain", typedConfig: any(StringValueSchema, { value: chain }) };
  return { predicate, onMatch: { onMatch: { case: "action", value: action } } };
}

function isPort(port: number): Predicate {
  return text("destination_port", DestinationPortInputSchema, { case: "exact", value: String(port) });
}

function transport(protocol: "tls" | "raw_buffer"): Predicate {
  return text("transport_protocol", TransportProtocolInputSchema, { case: "exact", value: protocol });
}

function serverName(name: string): Predicate {
  const pattern: Pattern = name.startsWith("*.")
    ? { case: "suffix", value: name.slice(1) }
    : { case: "exact", value: name };
  return text("server_name", ServerNameInputSchema, pattern);
}

function readableHttp(): Predicate {
  // Envoy lists protocols in quotes, as if they had been asked for by TLS.
  const each = ["'http/1.0'", "'http/1.1'", "'h2c'"].map((value) =>
    text("application_protocol", ApplicationProtocolInputSchema, { case: "exact", value }),
  );
  return { matchType: { case: "orMatcher", value: { predicate: each } } };
}

function inRanges(ranges: readonly AddressRange[], statPrefix: string): Predicate {
  const cidrRanges = ranges.map(({ address, prefix }) => ({ addressPrefix: address, prefixLen: prefix }));
  const ip = { name: "envoy.matching.matchers.ip", typedConfig: any(IpSchema, { cidrRanges, statPrefix }) };
  return single("destination_ip", DestinationIPInputSchema, { case: "customMatch", value: ip });
}

type Pattern = Init<typeof StringMatcherSchema>["matchPattern"] & {};

function text<Schema extends DescMessage>(name: string, schema: Schema, matchPattern: Pattern): Predicate {
  return single(name, schema, { case: "valueMatch", value: { matchPattern } });
}

type Single = Extract<Predicate["matchType"], { readonly case: "singlePredicate" }>["value"];

function single<Schema extends DescMessage>(
  name: string,
  schema: Schema,
  matcher: NonNullable<Extract<Single, { $typeName?: never }>["matcher"]>,
): Predicate {
  const input = { name, typedConfig: any(schema, {} as MessageInitShape<Schema>) };
  return { matchType: { case: "singlePredicate", value: { input, matcher } } };
}
