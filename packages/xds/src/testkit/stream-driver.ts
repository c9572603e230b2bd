import assert from "node:assert/strict";
import type { DeltaRequest, DeltaResponse, ProtocolEvent, ProtocolOutput, StreamEvent } from "../events.ts";
import { DeltaStream, type ProtocolOptions } from "../protocol.ts";
import type { EncodedResource, ResourceSet } from "../resource.ts";
import { TYPE_URL } from "../type-url.ts";
import { resource } from "./model-content.ts";

type Kind = keyof typeof TYPE_URL;

/** Resources by kind: `{ cluster: { a: "1" } }` is a cluster "a" with the content "1". */
export type Contents = Partial<Record<Kind, Readonly<Record<string, string>>>>;

/** Drives one stream with short words and gives back what it sent as short words: "cluster a=1 b=2 -c". */
export class StreamDriver {
  readonly stream: DeltaStream;
  /** What was reported since the last look. */
  reports: StreamEvent[] = [];
  readonly #waiting = new Map<string, DeltaResponse>();

  constructor(options: ProtocolOptions = {}) {
    this.stream = new DeltaStream(options);
  }

  set(contents: Contents): readonly string[] {
    return this.tell({ event: "set", set: resourceSet(contents) });
  }

  /** The first request of a type, or a later change of what is asked for. */
  ask(kind: Kind | string, subscribe: readonly string[] = [], more: Partial<DeltaRequest> = {}): readonly string[] {
    return this.tell({ event: "request", request: request(kind, { subscribe, ...more }) });
  }

  /** Acknowledges what is in flight of these kinds. */
  ack(...kinds: readonly Kind[]): readonly string[] {
    return kinds.flatMap((kind) =>
      this.tell({ event: "request", request: request(kind, { nonce: this.nonce(kind) }) }),
    );
  }

  /** Acknowledges everything until nothing more comes; gives back what came on the way. */
  ackAll(): readonly string[] {
    const sent: string[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) sent.push(...this.ack(next));
    return sent;
  }

  nack(kind: Kind, error: string): readonly string[] {
    return this.tell({ event: "request", request: request(kind, { nonce: this.nonce(kind), error }) });
  }

  /** The nonce of the response of this kind that waits for an answer. */
  nonce(kind: Kind): string {
    const response = this.#waiting.get(TYPE_URL[kind]);
    assert.ok(response, `nothing of ${kind} is in flight`);
    this.#waiting.delete(TYPE_URL[kind]);
    return response.nonce;
  }

  tell(event: ProtocolEvent): readonly string[] {
    return this.stream.handle(event).flatMap((output) => this.#take(output));
  }

  #take(output: ProtocolOutput): readonly string[] {
    if (output.output === "fail") return [`fail: ${output.reason}`];
    if (output.output === "report") {
      this.reports.push(output.event);
      return [];
    }
    this.#waiting.set(output.response.typeUrl, output.response);
    return [words(output.response)];
  }

  #next(): Kind | undefined {
    const [typeUrl] = this.#waiting.keys();
    return KINDS.find((kind) => TYPE_URL[kind] === typeUrl);
  }
}

/** A resource set with one inner Map for each kind. */
export function resourceSet(contents: Contents): ResourceSet {
  const set = new Map<string, ReadonlyMap<string, EncodedResource>>();
  for (const kind of KINDS) {
    const entries = Object.entries(contents[kind] ?? {});
    set.set(TYPE_URL[kind], new Map(entries.map(([name, version]) => [name, resource(TYPE_URL[kind], name, version)])));
  }
  return set;
}

function request(kind: Kind | string, more: Partial<DeltaRequest>): DeltaRequest {
  const typeUrl = kind in TYPE_URL ? TYPE_URL[kind as Kind] : kind;
  return { typeUrl, subscribe: [], unsubscribe: [], initialVersions: {}, nonce: "", error: undefined, ...more };
}

function words({ typeUrl, resources, removed }: DeltaResponse): string {
  const kind = KINDS.find((each) => TYPE_URL[each] === typeUrl) ?? typeUrl;
  return [
    kind,
    ...resources.map(({ name, version }) => `${name}=${version}`),
    ...removed.map((name) => `-${name}`),
  ].join(" ");
}

const KINDS = Object.keys(TYPE_URL) as readonly Kind[];
