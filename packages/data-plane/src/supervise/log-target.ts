import { connect, type Socket } from "node:net";
import type { Log } from "../log.ts";

/** How much may wait, and how long between two tries. Bytes and milliseconds. */
export interface TargetLimits {
  readonly waiting: number;
  readonly firstPause: number;
  readonly longestPause: number;
}

/** Somebody who takes lines over TCP: one connection, made when there is a line, and again when it was lost. */
export class LogTarget {
  readonly #address: string;
  readonly #limits: TargetLimits;
  readonly #log: Log;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause: number;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #idle: (() => void) | undefined;

  constructor(address: string, limits: TargetLimits, log: Log) {
    this.#address = address;
    this.#limits = limits;
    this.#log = log;
    this.#pause = limits.firstPause;
  }

  /** Nothing waits. */
  get isIdle(): boolean {
    return this.#bytes === 0 && (this.#socket?.writableLength ?? 0) === 0;
  }

  /** Sends a line, now or when there is a connection; drops it when too much waits already. */
  send(line: Buffer): void {
    if (this.#bytes + (this.#socket?.writableLength ?? 0) + line.length > this.#limits.waiting) {
      this.#dropped += 1;
      if (this.#dropped === 1) this.#log("warning", `Dropping access logs for ${this.#address}: it does not take them`);
      return;
    }
    this.#waiting.push(line);
    this.#bytes += line.length;
    if (this.#socket === undefined) this.#connect();
    else if (!this.#socket.connecting) this.#flush(this.#socket);
  }

  /** Settles when everything has been sent, and closes the connection. */
  async finish(): Promise<void> {
    if (!this.isIdle) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await promise;
    }
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("close", () => resolve()).end();
    await promise;
  }

  /** Gives up what still waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    if (this.#waiting.length + this.#dropped > 0) this.#tell(this.#dropped + this.#waiting.length);
  }

  #connect(): void {
    if (this.#timer !== undefined) return;
    const { hostname, port } = new URL(`tcp://${this.#address}`);
    const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) });
    this.#socket = socket;
    socket.once("connect", () => {
      this.#pause = this.#limits.firstPause;
      this.#flush(socket);
      if (this.#dropped > 0) this.#tell(this.#dropped);
      this.#dropped = 0;
    });
    socket.on("drain", () => this.#idle?.());
    // Whoever takes lines has nothing to say; reading makes its end known.
    socket.resume();
    socket.on("error", () => undefined);
    socket.once("close", () => this.#lost());
  }

  #flush(socket: Socket): void {
    const lines = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    socket.write(lines, () => {
      if (this.isIdle) this.#idle?.();
    });
  }

  #lost(): void {
    this.#socket = undefined;
    if (this.#bytes === 0) {
      this.#idle?.();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connect();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, this.#limits.longestPause);
  }

  #tell(lines: number): void {
    this.#log("warning", `Dropped ${lines} lines of access logs for ${this.#address}`);
  }
}
