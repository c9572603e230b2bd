import type { Paint } from "../output/paint.ts";
import { age, ahead } from "../output/age.ts";
import type { Column } from "../output/table.ts";
import type { DataplaneRow, DataplaneStatus } from "./dataplane-row.ts";
import { pairs } from "./resource-tables.ts";

const STATUS_STYLES = { Online: "green", Offline: "red", "Partially degraded": "yellow" } as const;

/** A status with its colour; the word alone says the same. */
export function paintStatus(status: DataplaneStatus, paint: Paint): string {
  return paint(STATUS_STYLES[status], status);
}

/** Columns of `heddle get dataplanes`. */
export function dataplaneColumns(now: Date, paint: Paint): readonly Column<DataplaneRow>[] {
  return [
    { title: "MESH", value: ({ mesh }) => mesh },
    { title: "NAME", value: ({ name }) => name },
    { title: "TAGS", value: ({ labels, tags }) => pairs({ ...ownLabels(labels), ...tags }) },
    { title: "ADDRESS", value: ({ address }) => address },
    { title: "STATUS", value: ({ status }) => paintStatus(status, paint) },
    { title: "AGE", value: ({ created }) => age(created, now) },
    { title: "LABELS", value: ({ labels }) => pairs(labels), wide: true },
  ];
}

/** Columns of `heddle inspect dataplanes`. */
export function inspectColumns(now: Date, paint: Paint): readonly Column<DataplaneRow>[] {
  return [
    { title: "MESH", value: ({ mesh }) => mesh },
    { title: "NAME", value: ({ name }) => name },
    { title: "STATUS", value: ({ status }) => paintStatus(status, paint) },
    { title: "CONNECTED", value: ({ connected }) => age(connected, now) },
    { title: "UPDATED", value: ({ updated }) => age(updated, now) },
    { title: "REFUSED", value: (row) => refusedOf(row, paint) },
    { title: "CERT EXPIRES", value: ({ certificate }) => ahead(certificate.expires, now) },
    { title: "ENVOY", value: ({ envoyVersion }) => envoyVersion },
    { title: "LAUNCHER", value: ({ launcherVersion }) => launcherVersion, wide: true },
    { title: "UPDATES", value: ({ responses }) => String(responses.sent), wide: true },
    { title: "ERRORS", value: ({ responses }) => String(responses.rejected), wide: true },
    { title: "CERT ISSUED", value: ({ certificate }) => age(certificate.issued, now), wide: true },
    { title: "CERT BACKEND", value: ({ certificate }) => certificate.backend, wide: true },
    { title: "CONTROL PLANE", value: ({ controlPlane }) => controlPlane, wide: true },
    { title: "TAGS", value: ({ labels, tags }) => pairs({ ...ownLabels(labels), ...tags }), wide: true },
  ];
}

// The number of resource types that Envoy refuses now, not of refusals there ever were.
function refusedOf({ rejections }: DataplaneRow, paint: Paint): string {
  return rejections.length === 0 ? "no" : paint("red", `yes (${rejections.length})`);
}

// Labels that the control plane sets say nothing that another column does not.
function ownLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !/^(k8s\.)?kuma\.io\//.test(key)));
}
