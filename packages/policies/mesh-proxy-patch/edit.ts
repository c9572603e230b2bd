import { clone, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { pack, typeUrlOf } from "@heddle/envoy/any.ts";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { FilterSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { mergeMessage } from "@heddle/envoy/merge-message.ts";
import { type Change, readValue } from "./change.ts";
import { copier, editFilters } from "./edit-filters.ts";
import { patchMessage } from "./json-patch.ts";

/** What a change makes of a message, which it may use up; undefined when it leaves it as it is. */
export type Edited<Message> = Message | "removed" | undefined;

/** Changes resources of one type. */
export interface Editor<Schema extends DescMessage = DescMessage> {
  readonly schema: Schema;
  /** `aliases` are other names of the resource. Throws when the change cannot be made. */
  readonly edit: (
    message: MessageShape<Schema>,
    change: Change,
    aliases: readonly string[],
  ) => Edited<MessageShape<Schema>>;
}

/** How resources are changed, by type URL. Those of other types cannot be. */
export const EDITORS: ReadonlyMap<string, Editor> = new Map(
  [
    editor({ schema: ClusterSchema, edit: (message, change) => editWhole(ClusterSchema, message, change) }),
    editor({
      schema: ListenerSchema,
      edit: (message, change) => {
        if (change.subject === "listener") return editWhole(ListenerSchema, message, change);
        return editListener(message, change) ? message : undefined;
      },
    }),
    editor({
      schema: RouteConfigurationSchema,
      edit: (message, change, aliases) => (editRoutes(message, change, aliases) ? message : undefined),
    }),
  ].map((each) => [typeUrlOf(each.schema), each]),
);

function editor<Schema extends DescMessage>(each: Editor<Schema>): Editor {
  // Each is only ever given messages of its own schema, so widening the type is sound.
  return each as unknown as Editor;
}

function editWhole<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  change: Change,
): Edited<MessageShape<Schema>> {
  if (change.operation === "Remove") return "removed";
  if (change.jsonPatches.length > 0) return patchMessage(schema, message, change.jsonPatches);
  const value = valueOf(schema, change);
  if (value !== undefined) mergeMessage(schema, message, value);
  return message;
}

function editListener({ filterChains }: Listener, change: Change): boolean {
  const edited = filterChains.map(({ filters }) => {
    if (change.subject === "networkFilter") {
      const value = valueOf(FilterSchema, change);
      return editFilters(filters, {
        change,
        value,
        terminal: [HTTP, "envoy.filters.network.tcp_proxy"],
        copy: copyFilter,
      });
    }
    return filters.map((filter) => {
      if (filter.name !== HTTP || filter.configType.case !== "typedConfig") return false;
      const manager = fromBinary(HttpConnectionManagerSchema, filter.configType.value.value);
      if (!editManager(manager, change)) return false;
      filter.configType = { case: "typedConfig", value: pack(HttpConnectionManagerSchema, manager) };
      return true;
    });
  });
  return edited.flat().includes(true);
}

const HTTP = "envoy.filters.network.http_connection_manager";
const copyFilter = copier(FilterSchema);
const copyHttpFilter = copier(HttpFilterSchema);

function editManager({ httpFilters, routeSpecifier }: HttpConnectionManager, change: Change): boolean {
  if (change.subject === "virtualHost") {
    return routeSpecifier.case === "routeConfig" && editRoutes(routeSpecifier.value, change, []);
  }
  const value = valueOf(HttpFilterSchema, change);
  return editFilters(httpFilters, { change, value, terminal: ["envoy.filters.http.router"], copy: copyHttpFilter });
}

function editRoutes(routes: RouteConfiguration, change: Change, aliases: readonly string[]): boolean {
  const { operation, jsonPatches, match } = change;
  const hosts = routes.virtualHosts;
  const value = valueOf(VirtualHostSchema, change);
  if (operation === "Add") return value !== undefined && hosts.push(clone(VirtualHostSchema, value)) > 0;
  // What stands for everything behind the listener is named like the routes, and so has their other names.
  const isMeant = ({ name }: VirtualHost): boolean =>
    match.name === undefined || match.name === name || (name === routes.name && aliases.includes(match.name));
  if (!hosts.some(isMeant)) return false;
  routes.virtualHosts = hosts.flatMap((host) => {
    if (!isMeant(host)) return [host];
    if (operation === "Remove") return [];
    if (value === undefined) return [patchMessage(VirtualHostSchema, host, jsonPatches)];
    mergeMessage(VirtualHostSchema, host, value);
    return [host];
  });
  return true;
}

/** The message in the value of a change; read once, and never changed. */
export function valueOf<Schema extends DescMessage>(schema: Schema, change: Change): MessageShape<Schema> | undefined {
  if (change.value === undefined) return undefined;
  const known = values.get(change);
  if (known !== undefined) return known as MessageShape<Schema>;
  const parsed = readValue(schema, change.value, "value");
  // It was read when it was written; this is a policy that another version of the control plane accepted.
  if (!parsed.ok) throw new Error(parsed.violations.map(({ field, message }) => `${field} ${message}`).join("; "));
  values.set(change, parsed.value);
  return parsed.value;
}

const values = new WeakMap<Change, MessageShape<DescMessage>>();
