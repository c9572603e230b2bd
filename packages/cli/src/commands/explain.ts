import type { Kind } from "@heddle/model/kind.ts";
import { UsageError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";

/** `heddle explain`: the fields of a kind and their meaning, from the very schemas that documents are checked with. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("<type>", "type of resource, with a path to one of its fields: mesh.mtls.backends")
    .option("--recursive", "also the fields below the fields")
    .action(async (word, { recursive }) => {
      const [typeName = "", ...names] = word.split(".");
      const kind = await findKind(typeName);
      const [{ documentSchema }, { findField, renderExplained }] = await Promise.all([
        import("../explain/kind-schema.ts"),
        import("../explain/render-explain.ts"),
      ]);
      const found = findField({ path: kind.type, schema: documentSchema(kind), isRequired: false }, names);
      if ("missing" in found) throw await unknownField(found);
      cli.terminal.print(renderExplained(found, recursive === true, cli.terminal.paint));
    });
  addExamples(typed, [
    ["heddle explain mesh", "the fields of a Mesh"],
    ["heddle explain mesh.mtls.backends", "one field, and those below it"],
    ["heddle explain dataplane --recursive", "all fields at once"],
  ]);
}

async function findKind(word: string): Promise<Kind> {
  const wanted = fold(word);
  const { findKindWhere } = await import("../explain/all-kinds.ts");
  const found = await findKindWhere((kind) =>
    [kind.type, kind.path, kind.shortName ?? "", kind.singular].some((name) => fold(name) === wanted),
  );
  if ("kind" in found) return found.kind;
  const { nearest } = await import("@heddle/model/schema.ts");
  const types = found.all.map(({ type }) => type);
  const near = nearest(
    wanted,
    types.map((type) => type.toLowerCase()),
  );
  throw new UsageError(`Cannot explain "${word}": there is no such type`, {
    next: [...(near === undefined ? [] : [`Did you mean "${near}"?`]), `All types: ${types.toSorted().join(", ")}`],
  });
}

async function unknownField({
  missing,
  at,
}: {
  missing: string;
  at: { path: string; schema: object };
}): Promise<UsageError> {
  const [{ fieldsOf }, { nearest }] = await Promise.all([
    import("@heddle/model/json-schema.ts"),
    import("@heddle/model/schema.ts"),
  ]);
  const names = fieldsOf(at.schema).map(({ name }) => name);
  const near = nearest(missing, names);
  return new UsageError(`Cannot explain "${missing}": ${at.path} has no such field`, {
    next: [
      ...(near === undefined ? [] : [`Did you mean "${near}"?`]),
      names.length === 0 ? "It has no fields at all" : `Its fields: ${names.join(", ")}`,
    ],
  });
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, "");
}
