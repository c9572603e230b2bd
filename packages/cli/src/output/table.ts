import Table from "cli-table3";

/** One column of a table: its title and how a row's cell reads. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | undefined;
  /** Shown with `-o wide` alone. */
  readonly wide?: boolean;
}

export interface TableOptions {
  readonly wide?: boolean;
  /** Characters in a line of the terminal; longer tables lose the end of their widest column. Unset: nothing is cut. */
  readonly width?: number | undefined;
}

const GAP = 3;
const NARROWEST = 12;
const NO_FRAME = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"])
    .map((part) => [part, ""]),
);

/** Aligned columns without a frame, the title line first. An empty cell reads "-", so that columns can be cut by tools. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: TableOptions = {}): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const lines = [
    shown.map((column) => column.title),
    ...rows.map((row) => shown.map((column) => column.value(row) || "-")),
  ];
  const frame = new Table({
    chars: NO_FRAME,
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    ...fit(lines, options.wide === true ? undefined : options.width),
  });
  frame.push(...lines);
  return frame.toString().replace(/[ \t]+$/gm, "");
}

/** Takes from the widest column what the terminal lacks, so that a row stays one line. */
function fit(lines: readonly string[][], width: number | undefined): { colWidths?: number[] } {
  if (width === undefined) return {};
  const widths = (lines[0] ?? []).map((_, index) => Math.max(...lines.map((line) => visible(line[index] ?? ""))) + GAP);
  const excess = widths.reduce((sum, each) => sum + each, 0) - GAP - width;
  if (excess <= 0) return {};
  const widest = widths.indexOf(Math.max(...widths));
  const cut = Math.max(NARROWEST + GAP, (widths[widest] ?? 0) - excess);
  return { colWidths: widths.with(widest, cut) };
}

function visible(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the escape sequences of colours take no room
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}
