import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { any } from "./any.ts";
import { jsonOf, jsonOfAny } from "./to-json.ts";
import { typedConfig, typedExtension } from "./typed-config.ts";

test("jsonOf() unpacks what is packed, at every depth", () => {
  const router = { name: "router", configType: typedConfig(RouterSchema, { suppressEnvoyHeaders: true }) };
  const manager = typedConfig(HttpConnectionManagerSchema, { statPrefix: "web", httpFilters: [router] });
  const listener = create(ListenerSchema, {
    name: "inbound",
    filterChains: [{ filters: [{ name: "http", configType: manager }] }],
  });
  assert.deepEqual(jsonOf(ListenerSchema, listener), {
    name: "inbound",
    filterChains: [
      {
        filters: [
          {
            name: "http",
            typedConfig: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              statPrefix: "web",
              httpFilters: [
                {
                  name: "router",
                  typedConfig: {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    suppressEnvoyHeaders: true,
                  },
                },
              ],
            },
          },
        ],
      },
    ],
  });
});

test("jsonOf() writes a wrapped number as the number", () => {
  const cluster = create(ClusterSchema, { perConnectionBufferLimitBytes: 1024 });
  assert.deepEqual(jsonOf(ClusterSchema, cluster), { perConnectionBufferLimitBytes: 1024 });
});

test("jsonOf() knows google.protobuf types inside an Any", () => {
  const extension = typedExtension("text", StringValueSchema, { value: "hello" });
  assert.deepEqual(jsonOfAny(any(StringValueSchema, { value: "hello" })), {
    "@type": "type.googleapis.com/google.protobuf.StringValue",
    value: "hello",
  });
  assert.equal(extension.typedConfig?.typeUrl, "type.googleapis.com/google.protobuf.StringValue");
});

test("jsonOfAny() keeps the bytes of a type that it does not know", () => {
  const unknown = create(AnySchema, { typeUrl: "type.googleapis.com/acme.Filter", value: new Uint8Array([1, 2, 3]) });
  assert.deepEqual(jsonOfAny(unknown), { "@type": "type.googleapis.com/acme.Filter", value: "AQID" });
});
