import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import {
  RetryPolicy_ResetHeaderFormat,
  type RetryPolicySchema,
} from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { OmitHostMetadataConfigSchema } from "@heddle/envoy/gen/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { PreviousHostsPredicateSchema } from "@heddle/envoy/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "@heddle/envoy/gen/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import type { Retry } from "../plan/plan.ts";
import { type Init, present } from "./common.ts";
import { headerMatcher } from "./text-match.ts";

type Policy = Init<typeof RetryPolicySchema>;

/** When and how a request is sent again, in Envoy's form. */
export function emitRetry(retry: Retry): Policy {
  const { times, perTryTimeout, statuses, requestHeaders, responseHeaders } = retry;
  return {
    retryOn: reasons(retry).join(),
    retriableStatusCodes: [...statuses],
    retriableHeaders: responseHeaders.map(headerMatcher),
    retriableRequestHeaders: requestHeaders.map(headerMatcher),
    ...present({ numRetries: times, perTryTimeout: duration(perTryTimeout) }),
    ...backOffs(retry),
    ...hosts(retry),
  };
}

// Envoy looks at the lists of statuses and headers only when it is told so by name.
function reasons({ on, statuses, responseHeaders }: Retry): readonly string[] {
  return [
    ...on,
    ...(statuses.length > 0 ? ["retriable-status-codes"] : []),
    ...(responseHeaders.length > 0 ? ["retriable-headers"] : []),
  ];
}

function backOffs({ backOff, rateLimitedBackOff }: Retry): Policy {
  return {
    ...(backOff && {
      retryBackOff: present({ baseInterval: duration(backOff.base), maxInterval: duration(backOff.max) }),
    }),
    ...(rateLimitedBackOff && {
      rateLimitedRetryBackOff: {
        resetHeaders: rateLimitedBackOff.headers.map(({ name, format }) => ({ name, format: FORMATS[format] })),
        ...present({ maxInterval: duration(rateLimitedBackOff.max) }),
      },
    }),
  };
}

const FORMATS = {
  Seconds: RetryPolicy_ResetHeaderFormat.SECONDS,
  UnixTimestamp: RetryPolicy_ResetHeaderFormat.UNIX_TIMESTAMP,
} as const;

function hosts({ omit, omitPreviousPriorities: updateFrequency, hostAttempts }: Retry): Policy {
  return {
    retryHostPredicate: omit.map((each) => (each === "PreviousHosts" ? PREVIOUS_HOSTS : hostsWith(each.tags))),
    ...(updateFrequency === undefined
      ? {}
      : {
          retryPriority: {
            name: "envoy.retry_priorities.previous_priorities",
            configType: { case: "typedConfig", value: any(PreviousPrioritiesConfigSchema, { updateFrequency }) },
          },
        }),
    ...(hostAttempts === undefined ? {} : { hostSelectionRetryMaxAttempts: BigInt(hostAttempts) }),
  };
}

type Predicate = NonNullable<Policy["retryHostPredicate"]>[number];

const PREVIOUS_HOSTS: Predicate = {
  name: "envoy.retry_host_predicates.previous_hosts",
  configType: { case: "typedConfig", value: any(PreviousHostsPredicateSchema, {}) },
};

function hostsWith(tags: Readonly<Record<string, string>>): Predicate {
  // Endpoints carry their tags where Envoy's load balancers look for them.
  const metadataMatch = { filterMetadata: { "envoy.lb": { ...tags } } };
  return {
    name: "envoy.retry_host_predicates.omit_host_metadata",
    configType: { case: "typedConfig", value: any(OmitHostMetadataConfigSchema, { metadataMatch }) },
  };
}
