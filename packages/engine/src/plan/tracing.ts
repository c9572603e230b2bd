import type { Any } from "@bufbuild/protobuf/wkt";

/** How spans are made of requests and where they go. Shares are percent; absent: all. */
export interface Tracing {
  readonly provider: { readonly name: string; readonly config: Any };
  readonly clientSampling?: number | undefined;
  readonly randomSampling?: number | undefined;
  readonly overallSampling?: number | undefined;
  readonly tags: readonly TracingTag[];
}

/** A tag of every span: a fixed value, or a header of the request with what stands in for it. */
export type TracingTag =
  | { readonly tag: string; readonly literal: string }
  | { readonly tag: string; readonly header: string; readonly default?: string | undefined };
