import type { ServerHttp2Session } from "node:http2";

export interface KeepaliveOptions {
  /** A ping goes out so often. */
  readonly pingMillis: number;
  /** A connection whose ping is not answered in this time is dead. */
  readonly pongMillis: number;
}

/**
 * Drops connections whose other end is gone or stopped, and those that never carry a stream: a stopped process keeps its
 * TCP connection open, so only the silence after a ping tells.
 */
export function keepAlive(session: ServerHttp2Session, { pingMillis, pongMillis }: KeepaliveOptions): void {
  let streams = 0;
  let streamsSinceTick = 0;
  let pong: NodeJS.Timeout | undefined;
  const tick = setInterval(() => {
    if (streams === 0 && streamsSinceTick === 0) return session.close();
    streamsSinceTick = 0;
    if (session.destroyed || pong !== undefined) return;
    pong = setTimeout(() => session.destroy(), pongMillis);
    session.ping(() => {
      clearTimeout(pong);
      pong = undefined;
    });
  }, pingMillis);
  session.on("stream", (stream) => {
    streams += 1;
    streamsSinceTick += 1;
    stream.once("close", () => (streams -= 1));
  });
  session.once("close", () => {
    clearInterval(tick);
    clearTimeout(pong);
  });
}
