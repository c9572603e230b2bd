import type { EncodedResource } from "./resource.ts";

/** What one stream knows about one resource type: what the client asked for, what it was sent, and what it refused. */
export interface Subscription {
  readonly typeUrl: string;
  /** What there is of this type. */
  desired: ReadonlyMap<string, EncodedResource>;
  /** The client wants everything there is. */
  wildcard: boolean;
  /** The client wants these, besides. */
  readonly names: Set<string>;
  /** Name to version: what the client said it has, or was sent last. UNKNOWN when that cannot be relied on. */
  readonly held: Map<string, string>;
  /** Names that the client asked for and was told do not exist. */
  readonly missing: Set<string>;
  /** Name to the version that the client refused. */
  readonly refused: Map<string, string>;
  /** The response that waits for its ACK or NACK. */
  inFlight: InFlight | undefined;
  /** The client waits for an answer even when there is nothing to tell: Envoy does not start without it. */
  owesAnswer: boolean;
  /** At most so many resources in the next response; shrinks to find the culprit after a NACK that names nobody. */
  batchLimit: number;
  /** What has to be sent; undefined when it has to be worked out again. */
  due: Due | undefined;
}

/** A response that was sent and is not answered yet. */
export interface InFlight {
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
  /** It carries something without which a cluster of the client cannot start to work. */
  readonly awaited: boolean;
}

/** The difference between what the client should hold and what it holds. */
export interface Due {
  readonly changed: readonly EncodedResource[];
  /** Held by the client, and not there any more. */
  readonly removed: readonly string[];
  /** Asked for by name, never held, and not there. */
  readonly absent: readonly string[];
  /** Among the changed is something the client has nothing of, so that it may be waiting for it. */
  readonly awaited: boolean;
  /** What the client lacks, and nobody here has the content of. */
  readonly wanted: readonly string[];
  /** How many resources are left out because the client refused this very content. */
  readonly refused: number;
}

/** Stands for "something, but nobody can be sure what": differs from every version. */
export const UNKNOWN = "";

/** A type nobody asked for yet. */
export function newSubscription(typeUrl: string): Subscription {
  return {
    typeUrl,
    desired: NO_RESOURCES,
    wildcard: false,
    names: new Set(),
    held: new Map(),
    missing: new Set(),
    refused: new Map(),
    inFlight: undefined,
    owesAnswer: false,
    batchLimit: Infinity,
    due: undefined,
  };
}

/** One object for "nothing", so that comparing by reference works for absent types too. */
export const NO_RESOURCES: ReadonlyMap<string, EncodedResource> = new Map();
