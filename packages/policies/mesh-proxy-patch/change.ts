import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { FilterSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { HttpFilterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { parseMessage } from "@heddle/envoy/parse-message.ts";
import { readShortYaml } from "@heddle/model/short-yaml.ts";
import type { Parsed } from "@heddle/model/violation.ts";
import type { JsonPatch, Modification } from "./schema.ts";

/** What modifications are about, and the messages that their values are. */
export const SUBJECTS = {
  cluster: ClusterSchema,
  listener: ListenerSchema,
  networkFilter: FilterSchema,
  httpFilter: HttpFilterSchema,
  virtualHost: VirtualHostSchema,
} as const satisfies Record<keyof Modification, DescMessage>;
export type Subject = keyof typeof SUBJECTS;

/** Where a modification applies: the union of what the five subjects can say. */
export interface Match {
  readonly origin?: string | undefined;
  readonly name?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly listenerName?: string | undefined;
  readonly listenerTags?: Readonly<Record<string, string>> | undefined;
  readonly routeConfigurationName?: string | undefined;
}

/** A modification, with what it is about made out. */
export interface Change {
  readonly subject: Subject;
  readonly operation: "Add" | "Remove" | "Patch" | "AddFirst" | "AddLast" | "AddBefore" | "AddAfter";
  readonly match: Match;
  readonly value: string | undefined;
  readonly jsonPatches: readonly JsonPatch[];
}

/** What a modification says; undefined unless it is about exactly one thing. */
export function changeOf(modification: Modification): Change | undefined {
  const [subject, ...others] = (Object.keys(SUBJECTS) as Subject[]).filter((each) => modification[each] !== undefined);
  const said = subject && modification[subject];
  if (subject === undefined || said === undefined || others.length > 0) return undefined;
  const { operation, match = {}, value, jsonPatches = [] } = said;
  return { subject, operation, match, value, jsonPatches };
}

/** Reads the value of a change: YAML of the message that it is about. Every mistake comes with its path. */
export function readValue<Schema extends DescMessage>(
  schema: Schema,
  text: string,
  at: string,
): Parsed<MessageShape<Schema>> {
  const refused = (reason: string): Parsed<never> => ({
    ok: false,
    violations: [{ field: at, message: `cannot be read as YAML: ${reason}` }],
  });
  const read = readShortYaml(text);
  if (!read.ok) return refused(read.reason);
  try {
    return parseMessage(schema, read.value, at);
  } catch (cause) {
    // Such as nesting so deep that there is no more room to go down.
    return refused(cause instanceof Error ? cause.message : String(cause));
  }
}
