import type { EncodedResource, ResourceSet, ResourceVersion } from "./resource.ts";

/** A DeltaDiscoveryRequest, reduced to what the protocol reads. */
export interface DeltaRequest {
  readonly typeUrl: string;
  /** Names to add; "*" is everything. */
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the client still has from an earlier stream, name to version; read in the first request of a type only. */
  readonly initialVersions: Readonly<Record<string, string>>;
  /** Empty when the request answers nothing. */
  readonly nonce: string;
  /** The client's words when it refuses the response with that nonce. */
  readonly error: string | undefined;
}

/** What can happen to one stream. */
export type ProtocolEvent =
  | { readonly event: "request"; readonly request: DeltaRequest }
  | { readonly event: "set"; readonly set: ResourceSet }
  /** Some seconds passed since the stream began: a type nobody asked for by now is not waited for. */
  | { readonly event: "grace-over" };

/** What the stream does about it, in this order. */
export type ProtocolOutput =
  | { readonly output: "send"; readonly response: DeltaResponse }
  | { readonly output: "report"; readonly event: StreamEvent }
  /** The client broke the protocol: the stream ends. */
  | { readonly output: "fail"; readonly reason: string };

/** A DeltaDiscoveryResponse, before encoding. */
export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** What the control plane hears about one stream. */
export type StreamEvent =
  | ({ readonly event: "sent" } & Exchange)
  | ({ readonly event: "acked" } & Exchange)
  | ({
      readonly event: "nacked";
      /** The client's words. */
      readonly detail: string;
      /**
       * The resources now known to be refused: not sent again until their content changes. May be empty when the client
       * names nobody; the culprit is then looked for with smaller responses, and a later event tells it.
       */
      readonly rejected: readonly ResourceVersion[];
    } & Exchange)
  /** The client lacks a resource whose content nobody here has: it has to be made anew. Told once for each set. */
  | { readonly event: "wanted"; readonly typeUrl: string; readonly name: string }
  /** The client acknowledged everything of this set that it asked for, except the refused resources. */
  | { readonly event: "synced"; readonly set: ResourceSet; readonly rejected: number };

/** One response. */
export interface Exchange {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly ResourceVersion[];
  readonly removed: readonly string[];
}
