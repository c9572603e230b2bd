import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as holds, constantFrom, dictionary, property, record } from "fast-check";
import type { DeltaResponse } from "./events.ts";
import { DeltaStream } from "./protocol.ts";
import type { ResourceSet } from "./resource.ts";
import { type Contents, resourceSet } from "./testkit/stream-driver.ts";
import { TYPE_URL } from "./type-url.ts";

const resources = dictionary(constantFrom("a", "b", "c", "d", "e"), constantFrom("1", "2", "3"), {
  noNullPrototype: true,
});
const contents = record({
  secret: resources,
  cluster: resources,
  endpoint: resources,
  listener: resources,
  route: resources,
});
const types = [TYPE_URL.cluster, TYPE_URL.endpoint, TYPE_URL.secret, TYPE_URL.listener, TYPE_URL.route];

/** A client that takes everything: type and name to version. */
function play(stream: DeltaStream, has: Map<string, string>, set: ResourceSet): void {
  const responses: DeltaResponse[] = [];
  const tell = (event: Parameters<DeltaStream["handle"]>[0]) => {
    for (const output of stream.handle(event)) if (output.output === "send") responses.push(output.response);
  };
  tell({ event: "set", set });
  for (let response = responses.shift(); response !== undefined; response = responses.shift()) {
    const { typeUrl, nonce } = response;
    for (const { name, version } of response.resources) has.set(`${typeUrl}/${name}`, version);
    for (const name of response.removed) has.delete(`${typeUrl}/${name}`);
    const request = { typeUrl, subscribe: [], unsubscribe: [], initialVersions: {}, nonce, error: undefined };
    tell({ event: "request", request });
  }
}

function everything(initial: ReadonlyMap<string, string>): DeltaStream {
  const stream = new DeltaStream();
  for (const typeUrl of types) {
    const mine = [...initial].filter(([key]) => key.startsWith(`${typeUrl}/`));
    const initialVersions = Object.fromEntries(mine.map(([key, version]) => [key.slice(typeUrl.length + 1), version]));
    const request = { typeUrl, subscribe: ["*"], unsubscribe: [], initialVersions, nonce: "", error: undefined };
    stream.handle({ event: "request", request });
  }
  return stream;
}

function flat(set: ResourceSet): Map<string, string> {
  return new Map(
    [...set].flatMap(([type, named]) => [...named].map(([name, { version }]) => [`${type}/${name}`, version])),
  );
}

test("DeltaStream: the delta of (old, new), applied to old, gives new", () => {
  holds(
    property(contents, contents, (before: Contents, after: Contents) => {
      const stream = everything(new Map());
      const has = new Map<string, string>();
      play(stream, has, resourceSet(before));
      assert.deepEqual(has, flat(resourceSet(before)));
      play(stream, has, resourceSet(after));
      assert.deepEqual(new Map([...has].sort()), new Map([...flat(resourceSet(after))].sort()));
    }),
    { numRuns: 1_000 },
  );
});

test("DeltaStream: the same holds for a client that brings old from an earlier stream", () => {
  holds(
    property(contents, contents, (before: Contents, after: Contents) => {
      const has = flat(resourceSet(before));
      play(everything(has), has, resourceSet(after));
      assert.deepEqual(new Map([...has].sort()), new Map([...flat(resourceSet(after))].sort()));
    }),
    { numRuns: 1_000 },
  );
});
