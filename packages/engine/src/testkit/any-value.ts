import fc, { type Arbitrary } from "fast-check";
import type { z } from "zod";

/** Says what stands at a place of a value, where that is more than the schema tells; nothing when it tells it all. */
export type Hint = (path: string) => Arbitrary<unknown> | undefined;

// Texts that mean something somewhere: whichever of them a field's own schema accepts are tried there.
const TEXTS: readonly string[] = [
  ["0s", "1ms", "51ms", "1s", "90s", "1h30m", "24h", "10000h", "0.5ms", "100ns"],
  ["0", "1", "0.5", "12.5", "99.9999", "100", "1.25", "503", "429", "80", "65535"],
  ["a", "x-user", ":path", "X-Upper", "retry-after", "with space", "ü", "%", "%REQ(:PATH)%", "{}", "a,b", '"'],
  ["/", "/a", "/a/", "/a/b/c", "/a?b", "/%20", "/{id}", "//", "."],
  [
    "(a|b)+",
    "[0-9]{1,3}",
    ".*",
    "^a$",
    "(a+)+$",
    "a{1000}",
    "((a{10}){10}){10}",
    "\\d+\\.\\w",
    "(?i)a",
    "[[:alpha:]]",
    "(",
  ],
  ["example.com", "*.example.com", "a.b", "EXAMPLE.com", "-", "localhost", "xn--bcher-kva.example", "a_b.c"],
  ["10.0.0.1", "127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8", "0.0.0.0/0", "10.0.0.1:80", "[::1]:80"],
  [
    "example.com:4317",
    "example.com:443",
    "http://example.com",
    "https://example.com:8443/v1",
    "grpc://example.com:9000",
  ],
  ["http://example.com:9411/api/v2/spans", "tcp://10.0.0.9:8126", "unix:///tmp/a.sock"],
  ["spiffe://default/web", "spiffe://default/", "spiffe://default/ns/*/sa/a", "spiffe://other.example/a"],
  ["web", "backend", "prices", "database", "api", "collector", "zone-1", "text/plain", "kuma.io/zone", "team"],
  [
    "/tmp/access.log",
    "/dev/null",
    "true",
    "false",
    "null",
    "line\nbreak",
    "tab\t",
    " ",
    "%START_TIME%\n",
    "🦊",
    "a".repeat(300),
  ],
].flat();
const JSON_VALUES: readonly unknown[] = [null, 1, "a", "%DURATION%", ["a"], { stringValue: "a" }, { a: { b: [1] } }];

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
}

/** Any value that a schema might accept: right field by field, while what its fields say together may still be wrong. */
export function anyValue(schema: z.core.$ZodType, hint: Hint, path = ""): Arbitrary<unknown> {
  const hinted = hint(path);
  if (hinted !== undefined) return hinted;
  const { type, shape, element, valueType, innerType, options, entries, values } = definitionOf(schema);
  if (innerType !== undefined) return anyValue(innerType, hint, path);
  if (options !== undefined) return fc.oneof(...options.map((option) => anyValue(option, hint, path)));
  if (shape !== undefined) return anyObject(shape, hint, path);
  if (element !== undefined) return anyList(schema, anyValue(element, hint, `${path}[]`));
  if (valueType !== undefined) return fc.dictionary(anyKey, anyValue(valueType, hint, `${path}.*`), SMALL);
  if (entries !== undefined) return fc.constantFrom(...Object.values(entries));
  if (values !== undefined) return fc.constantFrom(...values);
  if (type === "boolean") return fc.boolean();
  if (type === "number") return anyNumber(schema);
  return type === "string" ? anyText(schema) : fc.constantFrom(...JSON_VALUES);
}

const anyKey = fc.constantFrom("a", "team", "version", "kuma.io/service", "kuma.io/zone", "x-key");
const SMALL = { maxKeys: 2, noNullPrototype: true } as const;

function anyList(schema: z.core.$ZodType, item: Arbitrary<unknown>): Arbitrary<unknown> {
  const least = accepts(schema, []) ? 0 : 1;
  return fc.array(item, { minLength: least, maxLength: 3 });
}

// Where a word names the field beside it ("type: Cookie, cookie: …"), that field is there and the others are not.
function anyObject(shape: Readonly<Record<string, z.core.$ZodType>>, hint: Hint, path: string): Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(shape).map(([key, inner]) => [key, anyValue(inner, hint, path === "" ? key : `${path}.${key}`)]),
  );
  const needed = Object.keys(shape).filter((key) => definitionOf(shape[key] as z.core.$ZodType).type !== "optional");
  const words = Object.values(definitionOf(shape["type"] ?? NONE).entries ?? {});
  const named = new Map(words.map((word) => [word, Object.keys(shape).find((key) => isAlike(key, word))]));
  const any = (keep: readonly string[], required: readonly string[]): Arbitrary<object> =>
    fc.record(Object.fromEntries(keep.map((key) => [key, fields[key] ?? fc.constant(undefined)])), {
      requiredKeys: [...required],
      noNullPrototype: true,
    });
  if (![...named.values()].some((key) => key !== undefined)) return any(Object.keys(shape), needed);
  return fc.oneof(
    ...[...named].map(([word, own]) => {
      const others = [...named.values()].filter((key) => key !== own);
      const keep = Object.keys(shape).filter((key) => key !== "type" && !others.includes(key));
      const required = [...needed.filter((key) => key !== "type"), ...(own === undefined ? [] : [own])];
      return any(keep, required).map((object) => ({ type: word, ...object }));
    }),
  );
}

function isAlike(key: string, word: string): boolean {
  return key.toLowerCase() === word.toLowerCase();
}

function anyNumber(schema: z.core.$ZodType): Arbitrary<number> {
  const edges = [
    0,
    1,
    2,
    3,
    10,
    50,
    100,
    101,
    200,
    204,
    301,
    400,
    500,
    503,
    599,
    1_000,
    8_000_000,
    2 ** 31 - 1,
    2 ** 31,
  ];
  return fc.constantFrom(...[...edges, 2 ** 32 - 1, 2 ** 32, 0.5, 65_535].filter((each) => accepts(schema, each)));
}

function anyText(schema: z.core.$ZodType): Arbitrary<string> {
  const known = TEXTS.filter((each) => accepts(schema, each));
  if (known.length === 0) throw new Error("Cannot think of a text that this schema accepts: add one to TEXTS");
  const free = fc.string({ maxLength: 12 }).map((text) => (accepts(schema, text) ? text : (known[0] ?? "")));
  return fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 9 }, { arbitrary: free, weight: 1 });
}

function accepts(schema: z.core.$ZodType, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success;
}

function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

const NONE = { _zod: { def: { type: "never" } } } as unknown as z.core.$ZodType;
