import { hostAndPort, httpUrl } from "@heddle/engine/emit/collector.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { pemFacts } from "@heddle/model/pem.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { ExtAuthzConf, GrpcService, HttpService } from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf(conf: ExtAuthzConf, field: string): Violation[] {
  const { grpc, http, contextExtensions } = conf;
  if (Object.keys(conf).length === 0)
    return [{ field, message: "must say something: which service is asked, at least" }];
  if (grpc !== undefined && http !== undefined) return [{ field, message: "must have grpc or http, not both" }];
  return [
    ...(grpc === undefined ? [] : checkGrpc(grpc, `${field}.grpc`)),
    ...(http === undefined ? [] : checkHttp(http, `${field}.http`)),
    ...(http === undefined || contextExtensions === undefined
      ? []
      : [{ field: `${field}.contextExtensions`, message: "must not be set with http, which has no place for them" }]),
  ];
}

/** What a rule says without any effect. */
export function warnConf(conf: ExtAuthzConf, matches: readonly Match[], field: string): Violation[] {
  if (matches.length > 0 || conf.http === undefined) return [];
  return [
    { field: `${field}.http`, message: "is not asked about connections to ports of protocol tcp; grpc would be" },
  ];
}

function checkGrpc({ target, tls, timeout, allowedHeaders }: GrpcService, field: string): Violation[] {
  const wrong = hostAndPort(target)?.port === undefined;
  return [
    ...(wrong ? [{ field: `${field}.target`, message: 'must be host:port, such as "authz.example.com:9000"' }] : []),
    ...checkTls(tls, `${field}.tls`),
    ...checkTimeout(timeout, `${field}.timeout`),
    ...checkHeaders(allowedHeaders, `${field}.allowedHeaders`),
  ];
}

function checkHttp(service: HttpService, field: string): Violation[] {
  const { url, tls, timeout, pathPrefix = "/" } = service;
  const read = httpUrl(url);
  const lists = ["allowedHeaders", "headersToUpstream", "headersToDownstream"] as const;
  const message = 'must be http or https, a host and a port only, such as "http://authz:9001"; pathPrefix takes a path';
  return [
    ...(read?.path === "/" ? [] : [{ field: `${field}.url`, message }]),
    ...(tls === undefined || read?.tls !== false
      ? []
      : [{ field: `${field}.tls`, message: "must not be set unless the URL is https" }]),
    ...checkTls(tls, `${field}.tls`),
    ...checkTimeout(timeout, `${field}.timeout`),
    ...(/^\/[^?#\s]*$/.test(pathPrefix)
      ? []
      : [{ field: `${field}.pathPrefix`, message: "must be a path without a query, such as /check" }]),
    ...lists.flatMap((list) => checkHeaders(service[list], `${field}.${list}`)),
  ];
}

function checkTls(tls: GrpcService["tls"], field: string): Violation[] {
  if (tls?.caCertificate === undefined || pemFacts(tls.caCertificate).certificate) return [];
  return [{ field: `${field}.caCertificate`, message: "must be certificates in PEM" }];
}

function checkTimeout(timeout: string | undefined, field: string): Violation[] {
  if (timeout === undefined || toMillis(timeout) > 0) return [];
  return [{ field, message: "must be more than zero: a request would wait forever" }];
}

function checkHeaders(names: readonly string[] = [], field: string): Violation[] {
  return names.flatMap((name, index) =>
    /^[!#$%&'+\-.^_`|~0-9A-Za-z]+\*?$/.test(name)
      ? []
      : [
          {
            field: `${field}[${index}]`,
            message: 'must be a header\'s name, or its start and a star such as "x-user-*"',
          },
        ],
  );
}
