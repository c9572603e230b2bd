import { clone, type DescField, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { reflect, type ReflectList, type ReflectMap, type ReflectMessage } from "@bufbuild/protobuf/reflect";

/**
 * Merges a message into another, in place, as protobuf does: messages field by field, lists one after the other, maps
 * entry by entry. Except that durations, wrappers and what is packed in an Any are replaced as a whole, and that there is
 * one circuit breaker threshold for a priority, because Envoy ignores all but the first. Kuma 3.x does the same.
 */
export function mergeMessage<Schema extends DescMessage>(
  schema: Schema,
  target: MessageShape<Schema>,
  source: MessageShape<Schema>,
): void {
  // What is merged in may be merged into others as well, so nothing of it may be shared.
  mergeReflected(reflect(schema, target), reflect(schema, clone(schema, source)));
}

function mergeReflected(target: ReflectMessage, source: ReflectMessage): void {
  for (const field of source.fields) {
    if (source.isSet(field)) mergeField(target, source, field);
  }
}

function mergeField(target: ReflectMessage, source: ReflectMessage, field: DescField): void {
  switch (field.fieldKind) {
    case "list":
      return mergeList(target.get(field), source.get(field), KEYS[`${field.parent.typeName}.${field.name}`]);
    case "map":
      return mergeMap(target.get(field), source.get(field));
    case "message":
      if (target.isSet(field) && !field.message.typeName.startsWith("google.protobuf.")) {
        return mergeReflected(target.get(field), source.get(field));
      }
      return target.set(field, source.get(field));
    case "scalar":
    case "enum":
      return target.set(field, source.get(field));
  }
}

/** Lists of messages of which Envoy uses the first for a key. */
const KEYS: Readonly<Record<string, string>> = { "envoy.config.cluster.v3.CircuitBreakers.thresholds": "priority" };

function mergeList(target: ReflectList, source: ReflectList, key: string | undefined): void {
  for (const item of source) {
    const known = key === undefined ? undefined : [...target].find((each) => keyOf(each, key) === keyOf(item, key));
    if (known === undefined) target.add(item);
    else mergeReflected(known as ReflectMessage, item as ReflectMessage);
  }
}

function keyOf(item: unknown, key: string): unknown {
  const message = item as ReflectMessage;
  const field = message.findNumber(1);
  return field?.name === key ? message.get(field) : undefined;
}

function mergeMap(target: ReflectMap, source: ReflectMap): void {
  for (const [key, value] of source) target.set(key, value);
}
