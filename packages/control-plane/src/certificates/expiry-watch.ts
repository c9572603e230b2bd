import type { MeshCertificates } from "./certificate-facts.ts";
import { authorityWarnings, certificateWarnings, nextChange, type Warning } from "./warnings.ts";

/** What watching takes. */
export interface ExpiryWatchOptions {
  /** Every mesh as it is now. */
  readonly meshes: () => Iterable<MeshCertificates>;
  readonly availabilityTarget: number;
  readonly now: () => Date;
  readonly warn: (message: string, fields: { readonly mesh: string }) => void;
  readonly relieve: (message: string, fields: { readonly mesh: string }) => void;
}

const LONGEST_SLEEP = 3_600_000;
/** What happens within this time is looked at together. */
const SETTLE = 500;

/** Says once when certificates are at risk, and once when they are not any more. Wakes when the next of them may be. */
export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  readonly #told = new Map<string, ReadonlySet<string>>();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
  }

  /** Something changed. Cheap, and may be called as often as it likes. */
  notice(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, SETTLE).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
  }

  #look(): void {
    const now = this.#options.now();
    const seen = new Set<string>();
    let next = Infinity;
    for (const found of this.#options.meshes()) {
      seen.add(found.mesh);
      this.#tell(found, now);
      next = Math.min(next, nextChange(found, now));
    }
    for (const mesh of this.#told.keys()) if (!seen.has(mesh)) this.#told.delete(mesh);
    clearTimeout(this.#timer);
    const millis = Math.min(LONGEST_SLEEP, Math.max(SETTLE, next - now.getTime()));
    this.#timer = setTimeout(() => this.#look(), millis).unref();
  }

  #tell(found: MeshCertificates, now: Date): void {
    const { warn, relieve, availabilityTarget } = this.#options;
    const { mesh } = found;
    const before = this.#told.get(mesh) ?? new Set();
    const warnings = [...certificateWarnings(found, now), ...authorityWarnings(found, now, availabilityTarget)].filter(
      isOurs,
    );
    for (const { key, message } of warnings) if (!before.has(key)) warn(`mesh "${mesh}": ${message}`, { mesh });
    if (before.size > 0 && warnings.length === 0)
      relieve(`mesh "${mesh}": its certificates are in order again`, { mesh });
    this.#told.set(mesh, new Set(warnings.map(({ key }) => key)));
  }
}

/** An authority that goes down or comes back is told of by itself, at once. */
function isOurs({ key }: Warning): boolean {
  return !key.endsWith(" down");
}
