import { type DescField, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** A message seen as what it is at run time: fields by name. */
type Fields = Record<string, unknown>;

/**
 * Encodes a message so that the same content always gives the same bytes, whatever the order in which it was put
 * together. protobuf writes a map in the order of its keys in memory, so they are put in order first, in place.
 */
export function encode<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Uint8Array {
  sortMaps(schema, message as unknown as Fields);
  return toBinary(schema, message);
}

function sortMaps(schema: DescMessage, message: Fields): void {
  for (const field of fieldsWithMaps(schema)) {
    const oneof = field.oneof && (message[field.oneof.localName] as { case?: string; value?: unknown });
    if (oneof === undefined) {
      message[field.localName] = sorted(field, message[field.localName]);
    } else if (oneof.case === field.localName) {
      oneof.value = sorted(field, oneof.value);
    }
  }
}

function sorted(field: DescField, value: unknown): unknown {
  if (value === undefined) return undefined;
  switch (field.fieldKind) {
    case "message":
      return sortedMessage(field.message, value);
    case "list":
      return sortedList(field, value as unknown[]);
    case "map":
      return sortedMap(field, value as Fields);
    case "scalar":
    case "enum":
      return value;
  }
}

function sortedList(field: DescField & { fieldKind: "list" }, values: unknown[]): unknown[] {
  const { message } = field;
  if (message === undefined) return values;
  for (const [index, value] of values.entries()) values[index] = sortedMessage(message, value);
  return values;
}

function sortedMap(field: DescField & { fieldKind: "map" }, map: Fields): Fields {
  const { message } = field;
  return sortedKeys(map, (value) => (message === undefined ? value : sortedMessage(message, value)));
}

/** Messages are sorted in place. google.protobuf.Struct comes as bare JSON. */
function sortedMessage(schema: DescMessage, value: unknown): unknown {
  if (!isObject(value) || !("$typeName" in value)) return sortedJson(value);
  sortMaps(schema, value);
  return value;
}

function sortedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedJson);
  return isObject(value) ? sortedKeys({ ...value }, sortedJson) : value;
}

/** Most maps are in order already and stay as they are: this runs for every endpoint of every change. */
function sortedKeys(map: Fields, sortValue: (value: unknown) => unknown): Fields {
  const keys = Object.keys(map);
  for (const key of keys) map[key] = sortValue(map[key]);
  if (keys.every((key, index) => index === 0 || (keys[index - 1] ?? "") < key)) return map;
  return Object.fromEntries(keys.sort().map((key) => [key, map[key]]));
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

const knownFields = new WeakMap<DescMessage, readonly DescField[]>();

/** The fields under which there may be a map; most of a message is not looked at. */
function fieldsWithMaps(schema: DescMessage): readonly DescField[] {
  const known = knownFields.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields.filter((field) => leadsToMap(field, new Set([schema])));
  knownFields.set(schema, fields);
  return fields;
}

/** Messages refer to each other in circles; `seen` ends the walk. */
function leadsToMap(field: DescField, seen: Set<DescMessage>): boolean {
  if (field.fieldKind === "map") return true;
  const { message } = field;
  if (message === undefined || seen.has(message)) return false;
  seen.add(message);
  return message.fields.some((inner) => leadsToMap(inner, seen));
}
