import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Policies that the Open Policy Agent has taken in. */
export interface OpaEngine {
  /** What a document under `data` is for an input; undefined when no rule says. Throws with OPA's words. */
  readonly evaluate: (path: string, input: unknown) => unknown;
  readonly close: () => void;
}

/** The Open Policy Agent as a library in this process. */
export interface OpaLibrary {
  /** Throws with OPA's words, which name the line, when a module cannot be read. */
  readonly makeEngine: (modules: ReadonlyMap<string, string>) => OpaEngine;
}

const FETCHED = fileURLToPath(new URL("../../../../.tools/opa/opa_bindings/libopabridge.so", import.meta.url));

/** Loads the library that set-up fetched, or the one that HEDDLE_OPA_LIBRARY names. Throws when there is none. */
export async function loadOpaLibrary(path = process.env["HEDDLE_OPA_LIBRARY"] ?? FETCHED): Promise<OpaLibrary> {
  if (!existsSync(path)) throw new Error(`Cannot load the Open Policy Agent: there is no "${path}"; npm run setup`);
  // Loaded late: most proxies never need it.
  const { default: koffi } = await import("koffi");
  const library = koffi.load(path);
  const text = koffi.disposable("OpaText", "str", library.func("void OpaFreeString(void *text)"));
  const create = library.func("OpaNew", "uint64_t", []) as () => Handle;
  const destroy = library.func("OpaDestroy", "void", ["uint64_t"]) as (engine: Handle) => void;
  const add = library.func("OpaAddPolicy", text, ["uint64_t", "str", "str"]) as Add;
  // The last two ask for coverage and a trace.
  const evaluate = library.func("OpaEvalDocument", text, ["uint64_t", "str", "str", "int", "int"]) as Evaluate;
  return {
    makeEngine: (modules) => {
      const engine = create();
      try {
        for (const [name, source] of modules) resultOf(add(engine, name, source));
      } catch (error) {
        destroy(engine);
        throw error;
      }
      return {
        evaluate: (document, input) => valueOf(resultOf(evaluate(engine, document, JSON.stringify(input), 0, 0))),
        close: () => destroy(engine),
      };
    },
  };
}

type Handle = number | bigint;
type Add = (engine: Handle, name: string, source: string) => string;
type Evaluate = (engine: Handle, path: string, input: string, ...flags: readonly number[]) => string;

/** What the library answers: a result, or what went wrong in OPA's words. */
interface Envelope {
  readonly error?: { readonly code: string; readonly message: string };
  readonly result?: unknown;
}

function resultOf(answer: string): unknown {
  const { error, result } = JSON.parse(answer) as Envelope;
  if (error !== undefined) throw new Error(error.message);
  return result;
}

function valueOf(result: unknown): unknown {
  const [first] = (result ?? []) as readonly { readonly expressions: readonly { readonly value: unknown }[] }[];
  return first?.expressions[0]?.value;
}
