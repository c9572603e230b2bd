import { list, number, record, records, text, textMap, type Json } from "../json.ts";
import { parseRejection, type Rejection } from "../api/rollout.ts";

/** How well a proxy is, in Kuma's words. */
export type DataplaneStatus = "Online" | "Offline" | "Partially degraded";

/** What tables and summaries show of a proxy. Times are RFC 3339. */
export interface DataplaneRow {
  readonly mesh: string;
  readonly name: string;
  readonly address: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, readonly string[]>>;
  readonly inbounds: readonly Json[];
  readonly outbounds: readonly Json[];
  readonly isGateway: boolean;
  readonly status: DataplaneStatus;
  readonly created: string | undefined;
  readonly connected: string | undefined;
  readonly updated: string | undefined;
  readonly responses: { readonly sent: number; readonly acknowledged: number; readonly rejected: number };
  readonly certificate: {
    readonly expires: string | undefined;
    readonly issued: string | undefined;
    readonly count: number;
    readonly backend: string | undefined;
  };
  readonly launcherVersion: string | undefined;
  readonly envoyVersion: string | undefined;
  readonly controlPlane: string | undefined;
  readonly rejections: readonly Rejection[];
}

/** Reads an item of `dataplanes/_overview`: a Dataplane beside its insight. */
export function parseDataplaneRow(item: unknown): DataplaneRow {
  const overview = record(item);
  const networking = record(record(overview["dataplane"])["networking"]);
  const insight = record(overview["dataplaneInsight"]);
  const inbounds = records(networking["inbound"]);
  const isGateway = networking["gateway"] !== undefined;
  const subscriptions = records(insight["subscriptions"]);
  const mesh = text(overview["mesh"]) ?? "";
  const name = text(overview["name"]) ?? "";
  return {
    mesh,
    name,
    address: text(networking["address"]),
    labels: textMap(overview["labels"]),
    tags: tagsOf([...inbounds, record(networking["gateway"])]),
    inbounds,
    outbounds: records(networking["outbound"]),
    isGateway,
    status: statusOf(isOnline(subscriptions), isGateway ? [] : inbounds),
    created: text(overview["creationTime"]),
    ...readSubscriptions(subscriptions),
    certificate: readCertificate(record(insight["mTLS"])),
    rejections: records(insight["rejections"]).map((entry) => ({ ...parseRejection(entry), mesh, name })),
  };
}

function isOnline(subscriptions: readonly Json[]): boolean {
  return subscriptions.some(
    ({ connectTime, disconnectTime }) => text(connectTime) !== undefined && text(disconnectTime) === undefined,
  );
}

/** Kuma's rule: offline without a connection or with no inbound ready; degraded when only some are. */
function statusOf(connected: boolean, inbounds: readonly Json[]): DataplaneStatus {
  const counted = inbounds.filter(({ state }) => state !== "Ignored");
  const unready = counted.filter((inbound) => !isReady(inbound));
  if (!connected || (counted.length > 0 && unready.length === counted.length)) return "Offline";
  return unready.length > 0 ? "Partially degraded" : "Online";
}

/** Whether an inbound takes requests, as its state or (Kuma 2.x) its health says. */
export function isReady({ state, health }: Json): boolean {
  return state !== "NotReady" && record(health)["ready"] !== false;
}

type Subscriptions = Pick<
  DataplaneRow,
  "connected" | "updated" | "responses" | "launcherVersion" | "envoyVersion" | "controlPlane"
>;

function readSubscriptions(subscriptions: readonly Json[]): Subscriptions {
  const totals = subscriptions.map(({ status }) => record(record(status)["total"]));
  const sum = (field: string): number => totals.reduce((total, each) => total + (number(each[field]) ?? 0), 0);
  const last = subscriptions.at(-1) ?? {};
  const version = record(last["version"]);
  const launcher = record(version["heddleDp"] ?? version["kumaDp"]);
  return {
    connected: text(last["connectTime"]),
    updated: text(record(last["status"])["lastUpdateTime"]),
    responses: {
      sent: sum("responsesSent"),
      acknowledged: sum("responsesAcknowledged"),
      rejected: sum("responsesRejected"),
    },
    launcherVersion: text(launcher["version"]),
    envoyVersion: text(record(version["envoy"])["version"]),
    controlPlane: text(last["controlPlaneInstanceId"]),
  };
}

function readCertificate(mtls: Json): DataplaneRow["certificate"] {
  return {
    expires: text(mtls["certificateExpirationTime"]),
    issued: text(mtls["lastCertificateRegeneration"]),
    count: number(mtls["certificateRegenerations"]) ?? 0,
    backend: text(mtls["issuedBackend"]) ?? text(list(mtls["supportedBackends"])[0]),
  };
}

function tagsOf(holders: readonly Json[]): Readonly<Record<string, readonly string[]>> {
  const tags: Record<string, readonly string[]> = {};
  for (const [key, value] of holders.flatMap(({ tags: each }) => Object.entries(textMap(each)))) {
    tags[key] = [...new Set([...(tags[key] ?? []), value])];
  }
  return tags;
}
