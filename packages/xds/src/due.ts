import type { EncodedResource } from "./resource.ts";
import { type Due, type Subscription, UNKNOWN } from "./subscription.ts";

/** What the client has to be told about one type: what it should hold compared with what it holds. */
export function findDue(subscription: Subscription): Due {
  const { desired, wildcard, names, held, missing } = subscription;
  const due: WorkingDue = { changed: [], removed: [], absent: [], wanted: [], awaited: false, refused: 0 };
  if (wildcard) for (const resource of desired.values()) compare(subscription, resource, due);
  for (const name of names) {
    const resource = desired.get(name);
    if (resource === undefined) {
      if (!held.has(name) && !missing.has(name)) due.absent.push(name);
    } else if (!wildcard) compare(subscription, resource, due);
  }
  for (const name of held.keys()) if (!desired.has(name)) due.removed.push(name);
  return compact(due);
}

/** The same, or the one object for "nothing": thousands of streams that are up to date share it. */
export function compact(due: Due): Due {
  return isNothing(due) && due.refused === 0 ? NOTHING : due;
}

/** True when there is nothing left to send; what the client refused does not count. */
export function isNothing(due: Due): boolean {
  const { changed, removed, absent, wanted } = due;
  return changed.length + removed.length + absent.length + wanted.length === 0;
}

type WorkingDue = {
  changed: EncodedResource[];
  removed: string[];
  absent: string[];
  wanted: string[];
  awaited: boolean;
  refused: number;
};

function compare({ held, refused }: Subscription, resource: EncodedResource, due: WorkingDue): void {
  const has = held.get(resource.name);
  if (has === resource.version) return;
  if (refused.get(resource.name) === resource.version) {
    due.refused += 1;
    return;
  }
  if (resource.bytes.length === 0) {
    due.wanted.push(resource.name);
    return;
  }
  due.changed.push(resource);
  due.awaited ||= has === undefined || has === UNKNOWN;
}

const NOTHING: Due = { changed: [], removed: [], absent: [], wanted: [], awaited: false, refused: 0 };
