/** The client of bench/transport.ts: so many proxies in one process, each with a connection of its own. */
import { FakeProxy } from "@heddle/xds/fake.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";

interface Order {
  readonly port: number;
  readonly ca: string;
  readonly streams: number;
}

process.once("message", (order: Order) => void connectAll(order));

/** Not all at once: a server that is busy with handshakes is not what is measured. */
async function connectAll({ port, ca, streams }: Order): Promise<void> {
  const subscriptions = { [TYPE_URL.cluster]: "*" } as const;
  for (let first = 0; first < streams; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, streams - first) }, (_, index) => {
      return new FakeProxy({ port, ca, node: { id: `default.p${first + index}` }, subscriptions });
    });
    await Promise.all(batch.map((proxy) => proxy.connect()));
  }
}

const BATCH = 50;
