import type { AccessAction, AccessAuditSpec } from "@heddle/model/kinds/access.ts";
import type { User } from "../ports.ts";

/** Reading a secret is no action of a role, and yet worth a record: `accessAll` includes it. */
export type AuditedAction = AccessAction | "VIEW_SECRET";

/** One line of the audit log: who did what. It holds names only, never what was written or issued. */
export interface AuditRecord {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly requestId: string;
  readonly user: User;
  readonly action: AuditedAction;
  readonly resource: { readonly type?: string; readonly mesh?: string; readonly name?: string };
  readonly outcome: "created" | "updated" | "unchanged" | "deleted" | "done" | "refused" | "failed";
  /** HTTP status of the answer. */
  readonly status: number;
  /** Why it was refused. */
  readonly reason?: string;
  /** Of the store, after a write. */
  readonly revision?: number;
  /** Of the peer. */
  readonly address?: string;
  /** As proxies in between wrote it; anybody can write anything there. */
  readonly forwardedFor?: string;
  readonly instance: string;
}

/** Where records go. */
export interface AuditLog {
  /** Settles when the record is kept, or when it is not worth waiting any longer. Never rejects. */
  record(record: AuditRecord): Promise<void>;
}

/** What an audit decides by. */
export interface AuditQuestion {
  readonly action: AuditedAction;
  readonly type?: string | undefined;
  readonly mesh?: string | undefined;
}

const OF_A_TYPE: ReadonlySet<AuditedAction> = new Set(["CREATE", "UPDATE", "DELETE", "VIEW_SECRET"]);

/** Whether a rule of an AccessAudit wants it recorded. */
export function isAudited(audits: readonly AccessAuditSpec[], { action, type, mesh }: AuditQuestion): boolean {
  return audits.some(({ rules }) =>
    rules.some((rule) => {
      const named = action !== "VIEW_SECRET" && rule.access?.includes(action) === true;
      if (!named && rule.accessAll !== true) return false;
      if (rule.mesh !== undefined && rule.mesh !== mesh) return false;
      if (rule.types === undefined || rule.types.length === 0) return true;
      // An action that is on no type is recorded when it is asked for by its name.
      return OF_A_TYPE.has(action) ? rule.types.includes(type ?? "") : named;
    }),
  );
}
