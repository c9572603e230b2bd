import type { StreamEvent } from "../events.ts";
import { FakeProxy, type FakeProxyOptions } from "../fake.ts";
import { type ConnectRequest, type ProxyConnection, type XdsHooks } from "../hooks.ts";
import type { ResourceSet } from "../resource.ts";
import { serveXds, type TlsIdentity, type XdsServer, type XdsServerOptions } from "../server.ts";
import { selfSigned } from "./self-signed.ts";

/** One accepted stream, as the control plane of a test sees it. */
export interface AcceptedStream {
  readonly request: ConnectRequest;
  readonly events: StreamEvent[];
  /** Why it ended: one entry when all is well. */
  readonly closed: string[];
  push(set: ResourceSet): void;
}

/** A control plane that accepts everybody, gives all the same set, and writes down what it hears. */
export class TestControlPlane implements XdsHooks {
  set: ResourceSet;
  readonly streams: AcceptedStream[] = [];
  /** Replaced by tests that refuse, or answer late. */
  admit: (request: ConnectRequest) => void | Promise<void> = () => {};
  /** Called with everything that is reported. */
  onReport: (stream: AcceptedStream, event: StreamEvent) => void = () => {};
  /** Settled by `waitFor`. */
  readonly #waiters = new Set<() => void>();

  constructor(set: ResourceSet = new Map()) {
    this.set = set;
  }

  async connect(request: ConnectRequest): Promise<ProxyConnection> {
    await this.admit(request);
    const accepted = { request, events: [] as StreamEvent[], closed: [] as string[], push: (_: ResourceSet) => {} };
    this.streams.push(accepted);
    return {
      attach: (push) => {
        accepted.push = push;
        push(this.set);
      },
      report: (event) => {
        accepted.events.push(event);
        this.onReport(accepted, event);
        this.#wake();
      },
      close: (reason) => {
        accepted.closed.push(reason);
        this.#wake();
      },
    };
  }

  publish(set: ResourceSet): void {
    this.set = set;
    for (const { push } of this.streams) push(set);
  }

  /** All events of one kind, over all streams. */
  events<Kind extends StreamEvent["event"]>(kind: Kind): readonly Extract<StreamEvent, { event: Kind }>[] {
    return this.streams.flatMap(({ events }) => events).filter((each) => each.event === kind) as never;
  }

  /** Resolves when the condition holds, looked at whenever something was reported. Throws after some seconds. */
  async waitFor(what: string, condition: () => boolean, millis = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => condition() && resolve();
    const timer = setTimeout(() => reject(new Error(`Cannot see that ${what}: not after ${millis} ms`)), millis);
    this.#waiters.add(check);
    check();
    await promise.finally(() => this.#waiters.delete(check));
    clearTimeout(timer);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }
}

/** One certificate for all tests of a process. */
export const TEST_TLS: TlsIdentity = selfSigned();

/** A server on a free port of loopback. */
export function startServer(hooks: XdsHooks, options: Partial<XdsServerOptions> = {}): Promise<XdsServer> {
  return serveXds({
    host: "127.0.0.1",
    port: 0,
    tls: TEST_TLS,
    hooks,
    handleHttp: (_request, response) => {
      response.statusCode = 404;
      response.end();
    },
    ...options,
  });
}

/** A fake proxy for that server: "default.web" when not said otherwise. */
export function fakeProxy(server: XdsServer, options: Partial<FakeProxyOptions> = {}): FakeProxy {
  return new FakeProxy({ port: server.port, ca: TEST_TLS.cert, node: { id: "default.web" }, ...options });
}
