import { clone, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { pack } from "@heddle/envoy/any.ts";
import { mergeMessage } from "@heddle/envoy/merge-message.ts";
import { wholeApi } from "@heddle/envoy/type-registry.ts";
import type { Change } from "./change.ts";
import { patchMessage } from "./json-patch.ts";

/** A network or HTTP filter. */
interface Filter {
  readonly name: string;
  configType: { readonly case: "typedConfig"; value: Any } | { readonly case: string | undefined; value?: unknown };
}

/** What editing a list of filters needs. */
export interface FilterEdit<F extends Filter> {
  readonly change: Change;
  /** The filter to add, or what to merge into those that match. */
  readonly value: F | undefined;
  /** Filters that have to stay the last of the list. */
  readonly terminal: readonly string[];
  readonly copy: (filter: F) => F;
}

/** Edits a list of filters in place. Says whether it did. */
export function editFilters<F extends Filter>(filters: F[], edit: FilterEdit<F>): boolean {
  const { change, value, terminal, copy } = edit;
  const isMeant = ({ name }: Filter): boolean => change.match.name === undefined || change.match.name === name;
  switch (change.operation) {
    case "AddFirst":
      return insert(filters, 0, value, copy);
    case "AddLast":
      return insert(filters, endOf(filters, terminal), value, copy);
    case "AddBefore":
      return insert(filters, filters.findIndex(isMeant), value, copy);
    case "AddAfter": {
      const found = filters.findIndex(isMeant);
      return insert(filters, found === -1 ? -1 : found + 1, value, copy);
    }
    case "Remove": {
      const staying = filters.filter((filter) => !isMeant(filter));
      return filters.splice(0, filters.length, ...staying).length > staying.length;
    }
    case "Patch":
      return filters.filter(isMeant).map((filter) => patchFilter(filter, change, value)).length > 0;
    case "Add":
      return false;
  }
}

function insert<F>(filters: F[], at: number, value: F | undefined, copy: (filter: F) => F): boolean {
  if (at === -1 || value === undefined) return false;
  filters.splice(at, 0, copy(value));
  return true;
}

// Envoy refuses a list that goes on after the filter that answers or forwards, so the last place is the one before it.
function endOf(filters: readonly Filter[], terminal: readonly string[]): number {
  const last = filters.at(-1);
  return last !== undefined && terminal.includes(last.name) ? filters.length - 1 : filters.length;
}

function patchFilter(filter: Filter, { jsonPatches }: Change, value: Filter | undefined): void {
  const config = configOf(filter);
  if (config === undefined) throw new Error(`filter "${filter.name}" has no typedConfig that could be patched`);
  const schema = wholeApi().getMessage(config.typeUrl.slice(config.typeUrl.lastIndexOf("/") + 1));
  if (schema === undefined) throw new Error(`filter "${filter.name}" is of an unknown type, ${config.typeUrl}`);
  const message = fromBinary(schema, config.value);
  const other = value && configOf(value);
  const patched =
    other === undefined
      ? patchMessage(schema, message, jsonPatches)
      : merged(filter, config, { schema, message, other });
  filter.configType = { case: "typedConfig", value: pack(schema, patched) };
}

interface Merging {
  readonly schema: DescMessage;
  readonly message: MessageShape<DescMessage>;
  readonly other: Any;
}

function merged({ name }: Filter, { typeUrl }: Any, { schema, message, other }: Merging): MessageShape<DescMessage> {
  if (other.typeUrl !== typeUrl) throw new Error(`filter "${name}" is a ${typeUrl}, and the value a ${other.typeUrl}`);
  mergeMessage(schema, message, fromBinary(schema, other.value));
  return message;
}

function configOf({ configType }: Filter): Any | undefined {
  return configType.case === "typedConfig" ? (configType.value as Any) : undefined;
}

/** Makes a copier: what is added to one list must not be shared with the next. */
export function copier<Schema extends DescMessage>(
  schema: Schema,
): (message: MessageShape<Schema>) => MessageShape<Schema> {
  return (message) => clone(schema, message);
}
