import type { MeshSpec, MtlsBackend } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { type BackendState, BackendUnavailable, type CaBackend } from "@heddle/identity/backends/backend.ts";
import type { CertificateRequest, IssuedCertificate } from "@heddle/identity/leaf.ts";
import type { TrustedRoot } from "@heddle/identity/trusted-roots.ts";
import type { Secrets } from "../secrets.ts";
import { certificateMillis, type Opening, readBackend } from "./mesh-backends.ts";
import type { SourceReader } from "./source-reader.ts";
import { TrustRecord } from "./trust-record.ts";

/** Who signs for proxies, and how long its certificates live. */
export interface Authority {
  /** What a certificate of it ends in, PEM. */
  readonly caPem: string;
  readonly certificateMillis: number;
  /** Throws BackendUnavailable while nobody can be signed for. */
  readonly issue: (request: CertificateRequest) => Promise<IssuedCertificate>;
}

/** A certificate authority as it is now. */
export interface AuthorityFacts {
  readonly name: string;
  /** "builtin", "vault" and so on. */
  readonly type: string;
  readonly state: BackendState;
  /** What proxies trust of it; those that sign no more with their end. */
  readonly roots: readonly TrustedRoot[];
  /** The certificate whose key signs, PEM; absent while that is not known. */
  readonly issuer?: string | undefined;
  readonly certificateMillis: number;
}

/** What the authorities of meshes tell. */
export interface CaEvents {
  /** A mesh trusts something new, or a backend of it can sign again. */
  readonly onChange: (mesh: string) => void;
  /** A backend went down, for another reason, or came back. */
  readonly onState: (mesh: string, backend: string, state: BackendState) => void;
  readonly onFailure: (message: string, cause: unknown) => void;
  /** When the last certificate of the mesh that is known ends. */
  readonly lastEnd?: (mesh: string) => Date | undefined;
}

export interface MeshCasOptions extends CaEvents {
  readonly mesh: string;
  readonly secrets: Secrets;
  readonly sources: SourceReader;
  readonly now: () => Date;
}

interface Live {
  readonly name: string;
  readonly trust: TrustRecord;
  spec: MtlsBackend;
  content?: string;
  backend?: CaBackend | undefined;
  /** A root that will sign soon, PEM. */
  announced?: string | undefined;
  /** Why what it is made of cannot be used; what was open before goes on. */
  problem?: { readonly reason: string; readonly since: Date } | undefined;
  told?: string;
}

/** The certificate authorities that a mesh lists. All of them are trusted; the enabled one signs. */
export class MeshCas {
  readonly #options: MeshCasOptions;
  readonly #live = new Map<string, Live>();

  constructor(options: MeshCasOptions) {
    this.#options = options;
  }

  /** Opens what the mesh lists and closes what it lists no more. One that cannot be opened does not stop the others. */
  async prepare(mesh: Resource<MeshSpec>, pair: Opening["pair"]): Promise<void> {
    const listed = mesh.spec.mtls?.backends ?? [];
    for (const [name, live] of this.#live) {
      if (listed.some((each) => each.name === name)) continue;
      live.backend?.close();
      this.#live.delete(name);
    }
    for (const [index, backend] of listed.entries()) {
      const live = await this.#liveOf(backend);
      await this.#open(live, { mesh, backend, field: `mtls.backends[${index}].conf`, pair });
    }
  }

  authority(name: string): Authority | undefined {
    const live = this.#live.get(name);
    const { backend, trust, spec } = live ?? {};
    const roots = trust?.current ?? [];
    if (live === undefined || backend === undefined || spec === undefined || roots.length === 0) return undefined;
    return {
      caPem: roots.join(""),
      certificateMillis: certificateMillis(spec),
      issue: (request) => this.#issue(live, { backend, roots }, request),
    };
  }

  /** All that proxies trust, PEM; sorted, so that nothing is sent when one of them begins or ends to sign. */
  bundle(): string {
    const now = this.#options.now();
    const roots = [...this.#live.values()].flatMap(({ trust, announced = "" }) => [...trust.trusted(now), announced]);
    return [...new Set(roots)].toSorted().join("");
  }

  /** Trusts no more the roots of a backend that sign no more. */
  async forgetRetired(name: string): Promise<void> {
    await this.#live.get(name)?.trust.forgetRetired();
  }

  states(): ReadonlyMap<string, BackendState> {
    return new Map([...this.#live.values()].map((live) => [live.name, stateOf(live)]));
  }

  describe(): readonly AuthorityFacts[] {
    const now = this.#options.now();
    return [...this.#live.values()].map((live) => ({
      name: live.name,
      type: live.spec.type,
      state: stateOf(live),
      roots: live.trust.all.filter(({ until }) => until === undefined || until > now),
      issuer: live.backend?.issuer,
      certificateMillis: certificateMillis(live.spec),
    }));
  }

  close(): void {
    for (const { backend } of this.#live.values()) backend?.close();
    this.#live.clear();
  }

  async #liveOf(spec: MtlsBackend): Promise<Live> {
    const { secrets, mesh } = this.#options;
    const known = this.#live.get(spec.name);
    if (known !== undefined && known.spec.type === spec.type) {
      known.spec = spec;
      return known;
    }
    known?.backend?.close();
    const live: Live = { name: spec.name, trust: await TrustRecord.load(secrets, mesh, spec.name), spec };
    this.#live.set(spec.name, live);
    return live;
  }

  async #open(live: Live, opening: Pick<Opening, "mesh" | "backend" | "field" | "pair">): Promise<void> {
    const { sources, now, onFailure } = this.#options;
    try {
      const { content, announced, open } = await readBackend({ ...opening, sources, now });
      live.problem = undefined;
      live.announced = announced;
      if (live.content !== content) {
        live.backend?.close();
        live.content = content;
        live.backend = open(() => void this.#changed(live));
      }
      await this.#takeRoots(live);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      live.problem = { reason, since: live.problem?.since ?? now() };
      const action = `Cannot open the certificate authority "${live.name}" of mesh "${this.#options.mesh}"`;
      onFailure(reason.startsWith("Cannot ") ? reason : `${action}: ${reason}`, cause);
    }
    this.#tell(live);
  }

  async #changed(live: Live): Promise<void> {
    const { onChange, onFailure, mesh } = this.#options;
    try {
      await this.#takeRoots(live);
    } catch (cause) {
      onFailure(`Cannot store what mesh "${mesh}" trusts of "${live.name}"; nothing of it is given out`, cause);
    }
    if (this.#live.get(live.name) !== live) return;
    this.#tell(live);
    await lookAgainAfterThis();
    onChange(mesh);
  }

  async #takeRoots({ backend, trust, spec }: Live): Promise<void> {
    if (backend === undefined || backend.roots.length === 0) return;
    const { now, lastEnd, mesh } = this.#options;
    const left = (lastEnd?.(mesh)?.getTime() ?? 0) - now().getTime();
    // The mesh may have said until lately that certificates live longer.
    await trust.take(backend.roots, { now: now(), lifeMillis: Math.max(certificateMillis(spec), left) });
  }

  #tell(live: Live): void {
    const state = stateOf(live);
    const text = state.state === "down" ? `down ${state.reason}` : state.state;
    if (live.told === text) return;
    // One that was never down needs no word about its coming up.
    const isNews = state.state === "down" || live.told?.startsWith("down ");
    live.told = text;
    if (isNews) this.#options.onState(this.#options.mesh, live.name, state);
  }

  /** A certificate counts only when it ends in what was trusted as it was asked for: others may not know a newer root yet. */
  async #issue(
    live: Live,
    { backend, roots }: { readonly backend: CaBackend; readonly roots: readonly string[] },
    request: CertificateRequest,
  ): Promise<IssuedCertificate> {
    if (backend.state.state === "down") throw new BackendUnavailable(backend.state.reason);
    const issued = await backend.issue(request);
    if (isSame(backend.roots, roots)) return issued;
    // Who is told of the new root looks again; when that has been told already, this one would be forgotten.
    if (isSame(backend.roots, live.trust.current))
      void lookAgainAfterThis().then(() => this.#options.onChange(this.#options.mesh));
    throw new BackendUnavailable("the certificate authority has a new root; proxies get to know it first");
  }
}

/** Whoever is refused at the same moment has to hear of that first: it asks again only when it waits for nothing. */
async function lookAgainAfterThis(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join("") === b.join("");
}

function stateOf({ backend, problem }: Live): BackendState {
  if (problem !== undefined) return { state: "down", ...problem };
  return backend?.state ?? { state: "starting" };
}
