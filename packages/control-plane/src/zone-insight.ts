import type { Store } from "@heddle/model/store.ts";
import { VERSION } from "./version.ts";

/**
 * Notes that this control plane serves its own zone now. A zone under a global control plane is reported by that one
 * instead; here nobody else could.
 */
export async function recordOwnZone(
  store: Store,
  zone: string,
  { instanceId, now }: { readonly instanceId: string; readonly now: Date },
): Promise<void> {
  const key = { type: "ZoneInsight", mesh: "", name: zone };
  const version = { kumaCp: { version: VERSION } };
  const subscription = { id: instanceId, connectTime: now.toISOString(), version };
  const stored = await store.get(key);
  const resource = { ...key, labels: {}, spec: { subscriptions: [subscription] } };
  if (stored === undefined) await store.create(resource, { durability: "relaxed" });
  else await store.update(resource, stored.version, { durability: "relaxed" });
}
