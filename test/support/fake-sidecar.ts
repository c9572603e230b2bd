import type { JsonObject } from "@bufbuild/protobuf";
import { FakeProxy, type FakeProxyOptions } from "@heddle/xds/fake.ts";
import { followEnvoy } from "@heddle/xds/fake-follow.ts";
import type { Ending, Reachable } from "./lab.ts";

export interface FakeSidecarOptions extends Partial<FakeProxyOptions> {
  readonly name: string;
  readonly mesh?: string;
  readonly token: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** More of the Dataplane's `networking`. */
  readonly networking?: JsonObject;
  readonly metadata?: JsonObject;
}

/** A proxy without Envoy that brings its own Dataplane, not yet connected. Ends with the test. */
export function fakeSidecar(
  t: Ending,
  { dpPort: port, caPem: ca }: Pick<Reachable, "dpPort" | "caPem">,
  { name, mesh = "default", token, labels = {}, networking = {}, metadata = {}, ...more }: FakeSidecarOptions,
): FakeProxy {
  const dataplane = { type: "Dataplane", mesh, name, labels, networking: { address: "127.0.0.1", ...networking } };
  const node = {
    id: `${mesh}.${name}`,
    metadata: { "dataplane.resource": JSON.stringify(dataplane), ...metadata },
  };
  const proxy = new FakeProxy({ port, ca, node, token, follow: followEnvoy, ...more });
  t.after(() => proxy.disconnect());
  return proxy;
}
