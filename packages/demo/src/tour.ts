import { join } from "node:path";
import { styleText } from "node:util";

/** A sidecar that runs: what the tour needs of it. */
export interface Sidecar {
  readonly name: string;
  readonly pid: number;
}

const CLONE = join(import.meta.dirname, "../../..");
const HEDDLE = fromHere("bin/heddle");
const DEFAULT_PORT = "5681";

/** Five things to try, each with the commands as they are typed where the demo was started. */
export function tour(sidecars: readonly Sidecar[], page: string, apiUrl: string): string {
  const elsewhere = new URL(apiUrl).port === DEFAULT_PORT ? [] : [typed(`export HEDDLE_ADDRESS=${apiUrl}`)];
  return [
    "",
    styleText("bold", "Five things to try, in another terminal:"),
    ...elsewhere,
    ...steps(sidecars, page).map(([what, ...commands], index) =>
      [`  ${index + 1}. ${what}`, ...commands.map(typed)].join("\n"),
    ),
    "",
    "  Ctrl-C stops everything.",
    "",
  ].join("\n");
}

/** What to do when no request comes through. */
export function noAnswer(): string {
  return [
    styleText("yellow", "  no request has come through yet; what you changed in this mesh before is still in force:"),
    typed(`${HEDDLE} inspect dataplanes`),
    typed(`${HEDDLE} inspect access --from web-1 --to api-v1`),
    "  To begin anew, press Ctrl-C and remove the data folder.",
  ].join("\n");
}

function steps(sidecars: readonly Sidecar[], page: string): readonly (readonly [string, ...string[]])[] {
  const second = sidecars.find(({ name }) => name === "api-v2");
  const resources = fromHere("packages/demo/resources");
  return [
    [
      "See it: four proxies, their certificates, and the page",
      `${HEDDLE} inspect dataplanes`,
      `curl -s ${page} | grep visits`,
    ],
    [
      "Take the permission away, see who is refused and why, give it back",
      `${HEDDLE} delete meshtrafficpermission allow-all`,
      `${HEDDLE} inspect access --from web-1 --to api-v1`,
      `${HEDDLE} apply -f ${resources}/allow-all.yaml`,
    ],
    ["Send nine of ten requests to version 1 of the API", `${HEDDLE} apply -f ${resources}/split.yaml`],
    [
      "Both versions again; then stop an instance while requests flow: none fails",
      `${HEDDLE} delete meshhttproute api-split`,
      `kill ${second?.pid ?? ""}`,
    ],
    [
      "Look into a proxy: which policy decided what",
      `${HEDDLE} inspect dataplane web-1`,
      `${HEDDLE} inspect rules web-1`,
    ],
  ];
}

function typed(command: string): string {
  return `       ${styleText("cyan", command)}`;
}

/** A path of the clone as a shell takes it in the folder where the demo was started. */
function fromHere(path: string): string {
  if (process.cwd() !== CLONE) return join(CLONE, path);
  return path.startsWith("bin/") ? `./${path}` : path;
}
