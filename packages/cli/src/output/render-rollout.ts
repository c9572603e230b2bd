import type { HeldPolicy, Rejection, Rollout } from "../api/rollout.ts";
import { elapsed } from "./age.ts";
import type { Paint } from "./paint.ts";

/** The line that changes while proxies acknowledge. */
export function renderProgress({ acked, affected, rejected }: Rollout): string {
  const refused = rejected.length === 0 ? "" : `, ${rejected.length} refused`;
  return affected === 0 ? "Waiting for the proxies" : `ACKed ${acked}/${affected} proxies${refused}`;
}

/** The outcome of a roll-out in one line, and each refusal below it. */
export function renderRollout(rollout: Rollout, paint: Paint): string {
  return [
    summary(rollout, paint),
    ...(rollout.held ?? []).map((held) => renderHeld(held, paint)),
    ...rollout.rejected.map((rejection) => renderRejection(rejection, paint)),
  ].join("\n");
}

/** Which policy was taken back, why, and how to go on. */
function renderHeld({ type, mesh, name, message }: HeldPolicy, paint: Paint): string {
  return [
    `${paint("red", "HELD")} ${type} ${mesh}/${name}: ${message.replaceAll("\n", "\n     ")}`,
    `  ${paint("cyan", "->")} Change it and apply it again, or insist: heddle apply -f FILE --no-hold`,
  ].join("\n");
}

/** Who refuses what, in Envoy's words, and which resources it comes from. */
export function renderRejection(rejection: Rejection, paint: Paint): string {
  const { mesh, name, typeUrl, resources, detail, origins } = rejection;
  return [
    `${paint("red", "NACK")} ${mesh}/${name} refuses it and keeps its last good configuration`,
    `  resource  ${shortTypeUrl(typeUrl)} ${resources.join(", ")}`.trimEnd(),
    `  Envoy     ${detail.replaceAll("\n", "\n            ")}`,
    ...(origins.length === 0 ? [] : [`  origin    ${origins.join(", ")}`]),
    `  ${paint("cyan", "->")} heddle inspect dataplane ${name} --mesh ${mesh}`,
  ].join("\n");
}

/** "type.googleapis.com/envoy.config.listener.v3.Listener" → "Listener". */
export function shortTypeUrl(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
}

function summary({ state, acked, affected, rejected, held, elapsedMillis }: Rollout, paint: Paint): string {
  if (affected === 0 && state === "done") return held === undefined ? "No proxy is concerned" : "No proxy has it";
  const count = `${acked}/${affected} ${affected === 1 ? "proxy" : "proxies"}`;
  const refused = rejected.length === 0 ? "" : `, ${rejected.length} refused`;
  const time = elapsed(elapsedMillis);
  if (state === "done")
    return `${paint(rejected.length === 0 ? "green" : "yellow", "ACKed")} ${count} in ${time}${refused}`;
  return `${paint("yellow", "ACKed")} ${count}${refused}; the others gave no answer in ${time}, see: heddle inspect dataplanes`;
}
