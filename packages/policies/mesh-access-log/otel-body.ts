import { create, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { AnyValueSchema } from "@heddle/envoy/gen/opentelemetry/proto/common/v1/common_pb.js";

/** A value of OpenTelemetry. */
export type OtelValue = MessageShape<typeof AnyValueSchema>;

/** The body that a user wrote: an OTLP value in its JSON form, or text; any other JSON is sent as its text. */
export function bodyOf(body: unknown): OtelValue {
  if (typeof body !== "object" || body === null)
    return textValue(typeof body === "string" ? body : JSON.stringify(body));
  try {
    return fromJson(AnyValueSchema, body as JsonValue);
  } catch {
    return textValue(JSON.stringify(body));
  }
}

/** A value that is text. */
export function textValue(text: string): OtelValue {
  return create(AnyValueSchema, { value: { case: "stringValue", value: text } });
}

/** Every text in a value: where command operators may stand. */
export function textsOf({ value }: OtelValue): readonly string[] {
  switch (value.case) {
    case "stringValue":
      return [value.value];
    case "arrayValue":
      return value.value.values.flatMap(textsOf);
    case "kvlistValue":
      return value.value.values.flatMap(({ value: inner }) => (inner === undefined ? [] : textsOf(inner)));
    default:
      return [];
  }
}

/** Whether a value holds nothing but text, lists and fields: other values Envoy refuses. */
export function isText({ value }: OtelValue): boolean {
  switch (value.case) {
    case "stringValue":
      return true;
    case "arrayValue":
      return value.value.values.every(isText);
    case "kvlistValue":
      return value.value.values.every(({ value: inner }) => inner !== undefined && isText(inner));
    default:
      return false;
  }
}

/** The same value with every text changed. */
export function withTexts({ value }: OtelValue, change: (text: string) => string): OtelValue {
  const inside = (each: OtelValue): OtelValue => withTexts(each, change);
  switch (value.case) {
    case "stringValue":
      return textValue(change(value.value));
    case "arrayValue":
      return create(AnyValueSchema, {
        value: { case: "arrayValue", value: { values: value.value.values.map(inside) } },
      });
    case "kvlistValue": {
      const values = value.value.values.map(({ key, value: inner }) =>
        inner === undefined ? { key } : { key, value: inside(inner) },
      );
      return create(AnyValueSchema, { value: { case: "kvlistValue", value: { values } } });
    }
    default:
      return create(AnyValueSchema, { value });
  }
}
