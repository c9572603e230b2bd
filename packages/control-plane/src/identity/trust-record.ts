import { formatRoots, nextRoots, parseRoots, type TrustedRoot } from "@heddle/identity/trusted-roots.ts";
import type { Secrets } from "../secrets.ts";

/** The roots of a backend that proxies trust, also those that sign no more; they are kept in a Secret of the mesh. */
export class TrustRecord {
  readonly #secrets: Secrets;
  readonly #mesh: string;
  readonly #name: string;
  #roots: readonly TrustedRoot[];

  private constructor(secrets: Secrets, mesh: string, name: string, roots: readonly TrustedRoot[]) {
    this.#secrets = secrets;
    this.#mesh = mesh;
    this.#name = name;
    this.#roots = roots;
  }

  static async load(secrets: Secrets, mesh: string, backend: string): Promise<TrustRecord> {
    const name = `${mesh}.ca-trust-${backend}`;
    const text = await secrets.read(mesh, name);
    return new TrustRecord(secrets, mesh, name, text === undefined ? [] : parseRoots(text));
  }

  /** Those that sign now: a certificate is of them. */
  get current(): readonly string[] {
    return this.#roots.filter(({ until }) => until === undefined).map(({ pem }) => pem);
  }

  /** Everything that is recorded, with how long. */
  get all(): readonly TrustedRoot[] {
    return this.#roots;
  }

  /** All that are to be trusted now. */
  trusted(now: Date): readonly string[] {
    return this.#roots.filter(({ until }) => until === undefined || until > now).map(({ pem }) => pem);
  }

  /** Takes over who signs now. Says whether that is new; it is stored before anybody is told. */
  async take(current: readonly string[], at: { readonly now: Date; readonly lifeMillis: number }): Promise<boolean> {
    return await this.#keep(nextRoots(this.#roots, current, at));
  }

  /** Trusts no more what signs no more. */
  async forgetRetired(): Promise<boolean> {
    return await this.#keep(this.#roots.filter(({ until }) => until === undefined));
  }

  async #keep(roots: readonly TrustedRoot[]): Promise<boolean> {
    const text = formatRoots(roots);
    if (text === formatRoots(this.#roots)) return false;
    await this.#secrets.write(this.#mesh, this.#name, text);
    this.#roots = roots;
    return true;
  }
}
