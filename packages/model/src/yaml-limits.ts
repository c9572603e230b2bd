import { Lexer } from "yaml";

/** What is read nests at most 64 levels. Some are counted twice here, such as a mapping in a list. */
const MOST_LEVELS = 64;
/** Words and marks, without the gaps between them: reading one takes up to 5 µs, whatever it is. */
const MOST_TOKENS = 10_000;
const MOST_DIRECTIVES = 10;
const MOST_COLONS = 3;

/**
 * Why a text of a stranger is not read as YAML, or undefined when reading it takes little enough. The library descends by
 * calling itself, and takes a hundred times as long for some texts as for others of the same length; cutting a text into
 * tokens is neither deep nor slow, and tells.
 */
export function whyTooMuchYaml(
  text: string,
  { mostTokens = MOST_TOKENS, advice = "; write it as JSON" } = {},
): string | undefined {
  const lines = new OpenLines();
  let [tokens, directives, flow, colons] = [0, 0, 0, 0];
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (token !== SCALAR && !/^[ \t]/.test(token)) tokens += 1;
    if (token.startsWith("%")) directives += 1;
    // What follows this mark is a scalar, whatever it looks like.
    if (!isScalar) {
      if (token === "{" || token === "[") flow += 1;
      else if (token === FLOW_CUT_OFF) flow = 0;
      else if (token === "}" || token === "]") flow = Math.max(0, flow - 1);
      else if (flow === 0) lines.take(token);
      // Among brackets a value has one colon before it; each further one would be another level.
      colons = token === ":" && flow > 0 ? colons + 1 : ",{}[]".includes(token) ? 0 : colons;
    }
    if (colons > MOST_COLONS) return `it nests deeper than ${MOST_LEVELS} levels`;
    isScalar = token === SCALAR;
    if (flow + lines.depth > 2 * MOST_LEVELS) return `it nests deeper than ${MOST_LEVELS} levels`;
    if (tokens > mostTokens) return `it has more than ${mostTokens} words and marks${advice}`;
    if (directives > MOST_DIRECTIVES) return `it has more than ${MOST_DIRECTIVES} directives`;
  }
  return undefined;
}

const SCALAR = "\u001F";
/** Brackets that were not closed end where a line is indented too little to be among them. */
const FLOW_CUT_OFF = "\u0018";

/** The lines that are open at a place: each belongs to the ones before it that are indented less. */
class OpenLines {
  depth = 0;
  readonly #open: { readonly indent: number; marks: number }[] = [];
  #isStart = true;

  take(token: string): void {
    if (token === "" || token.startsWith("\n") || token.startsWith("\r")) {
      this.#isStart = true;
      return;
    }
    if (this.#isStart) this.#begin(token);
    this.#isStart = false;
    const line = this.#open.at(-1);
    if (line === undefined || !MARKS.has(token)) return;
    line.marks += 1;
    this.depth += 1;
  }

  #begin(token: string): void {
    const indent = /^ */.exec(token)?.[0].length ?? 0;
    for (let last = this.#open.at(-1); last !== undefined && last.indent >= indent; last = this.#open.at(-1)) {
      this.#open.pop();
      this.depth -= last.marks;
    }
    this.#open.push({ indent, marks: 0 });
  }
}

const MARKS: ReadonlySet<string> = new Set(["-", "?", ":"]);
