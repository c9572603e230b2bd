import { z } from "zod";
import { AuthorityFailure } from "../remote/authority-failure.ts";
import { loginRequest } from "./auth/login-request.ts";
import type { VaultConnection, VaultRequest } from "./connection.ts";
import type { VaultSettings } from "./settings.ts";

const loginSchema = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number(), renewable: z.boolean() }),
});
const lookupSchema = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean().nullish() }) });
const LONGEST_TIMER = 2 ** 31 - 1;

interface Lease {
  /** Absent: an agent adds its own. */
  readonly token: string | undefined;
  readonly seconds: number;
  readonly renewable: boolean;
}

/** A token of Vault: got at first use, renewed at half of its life, got anew when Vault takes it no more. */
export class VaultSession {
  readonly #connection: VaultConnection;
  readonly #settings: VaultSettings;
  #lease: Promise<Lease> | undefined;
  readonly #onLost: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `onLost` is told when the token could not be renewed in time. */
  constructor(connection: VaultConnection, settings: VaultSettings, onLost: (error: unknown) => void) {
    this.#connection = connection;
    this.#settings = settings;
    this.#onLost = onLost;
  }

  /** Makes a request with the token. One that is denied is sent once more with a new token. */
  async json<T>(request: VaultRequest, schema: z.ZodType<T>): Promise<T> {
    const lease = this.#current();
    try {
      return await this.#connection.json({ ...request, token: (await lease).token }, schema);
    } catch (error) {
      if (!(error instanceof AuthorityFailure) || error.kind !== "denied" || !this.#canLogIn()) throw error;
      // Many requests may be denied at the same time: the first one forgets the token, all wait for the new one.
      if (this.#lease === lease) this.#lease = undefined;
      return await this.#connection.json({ ...request, token: (await this.#current()).token }, schema);
    }
  }

  /** Makes sure that there is a token which Vault takes; throws AuthorityFailure. */
  async check(): Promise<void> {
    const lease = await this.#current();
    if (lease.token === undefined) return;
    await this.json(this.#own("GET", "lookup-self", "to look at the token of the control plane"), lookupSchema);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #canLogIn(): boolean {
    const { by } = this.#settings.login;
    return by !== "token" && by !== "agent";
  }

  #current(): Promise<Lease> {
    if (this.#lease !== undefined) return this.#lease;
    const lease = this.#begin();
    this.#lease = lease;
    lease.then(
      (got) => this.#renewInTime(got),
      () => {
        if (this.#lease === lease) this.#lease = undefined;
      },
    );
    return lease;
  }

  async #begin(): Promise<Lease> {
    const { login } = this.#settings;
    if (login.by === "agent") return { token: undefined, seconds: 0, renewable: false };
    if (login.by === "token") {
      const request = this.#own("GET", "lookup-self", "to look at the token of the control plane");
      const { data } = await this.#connection.json({ ...request, token: login.token }, lookupSchema);
      return { token: login.token, seconds: data.ttl, renewable: data.renewable === true };
    }
    const { path, body } = await loginRequest(login);
    const what = `to log in by ${login.by}`;
    const timeoutMillis = this.#settings.issueTimeout;
    const { auth } = await this.#connection.json({ method: "POST", path, body, timeoutMillis, what }, loginSchema);
    return { token: auth.client_token, seconds: auth.lease_duration, renewable: auth.renewable };
  }

  // A lease of 0 seconds is one without an end.
  #renewInTime({ seconds, renewable }: Lease): void {
    if (this.#isClosed || seconds === 0 || !(renewable || this.#canLogIn())) return;
    clearTimeout(this.#timer);
    const half = Math.min(LONGEST_TIMER, Math.max(500, seconds * 500));
    this.#timer = setTimeout(() => void this.#renew(), half).unref();
  }

  async #renew(): Promise<void> {
    const lease = this.#lease;
    const { token, renewable = false } = (await lease?.catch(() => undefined)) ?? {};
    try {
      if (token === undefined) return;
      if (renewable) return this.#renewInTime(await this.#extend(token));
      this.#lease = undefined;
      await this.#current();
    } catch (error) {
      // Whoever comes next begins anew: with the token that is configured, or with another login.
      if (this.#lease === lease) this.#lease = undefined;
      if (!this.#isClosed) this.#onLost(error);
    }
  }

  async #extend(token: string): Promise<Lease> {
    const request = { ...this.#own("POST", "renew-self", "to renew the token of the control plane"), token };
    const { auth } = await this.#connection.json({ ...request, body: {} }, loginSchema);
    return { token, seconds: auth.lease_duration, renewable: auth.renewable };
  }

  #own(method: VaultRequest["method"], action: string, what: string): VaultRequest {
    return { method, path: `auth/token/${action}`, timeoutMillis: this.#settings.issueTimeout, what };
  }
}
