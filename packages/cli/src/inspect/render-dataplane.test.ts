import assert from "node:assert/strict";
import { test } from "node:test";
import { plain } from "../output/paint.ts";
import { parseDataplaneRow } from "../tables/dataplane-row.ts";
import { renderDataplane } from "./render-dataplane.ts";

const NOW = new Date("2026-11-23T12:00:00Z");

test("renderDataplane() puts all that is known of a proxy on one screen", () => {
  const row = parseDataplaneRow({
    mesh: "default",
    name: "web-1",
    labels: { app: "web" },
    dataplane: {
      networking: {
        address: "10.0.0.1",
        inbound: [
          { port: 8080, name: "main", servicePort: 80, tags: { "kuma.io/service": "web", "kuma.io/protocol": "http" } },
        ],
        outbound: [
          { port: 10001, backendRef: { kind: "MeshService", name: "api", port: 8080 } },
          { port: 10002, tags: { "kuma.io/service": "db" } },
        ],
      },
    },
    dataplaneInsight: {
      subscriptions: [
        {
          connectTime: "2026-11-23T11:00:00Z",
          controlPlaneInstanceId: "cp-1",
          status: {
            lastUpdateTime: "2026-11-23T11:59:50Z",
            total: { responsesSent: "5", responsesAcknowledged: "4", responsesRejected: "1" },
          },
          version: { envoy: { version: "1.40.0" }, kumaDp: { version: "0.1.0" } },
        },
      ],
      mTLS: { certificateExpirationTime: "2026-11-24T11:30:00Z", issuedBackend: "ca-1", certificateRegenerations: 2 },
      rejections: [
        { typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster", resources: ["api"], detail: "no", time: "x" },
      ],
    },
  });
  assert.equal(
    renderDataplane(row, NOW, plain),
    `Dataplane default/web-1: Online
  address      10.0.0.1
  connected    1h ago to control plane cp-1
  certificate  expires in 23h (2026-11-24T11:30:00Z), from ca-1, issued 2 times
  envoy        1.40.0, launched by version 0.1.0
  updates      5 sent, 4 acknowledged, 1 refused, the last 10s ago
  labels       app=web

Inbounds
  PORT   NAME   PROTOCOL   APPLICATION    STATE   TAGS
  8080   main   http       127.0.0.1:80   Ready   kuma.io/protocol=http kuma.io/service=web

Outbounds
  PORT    ADDRESS     DESTINATION
  10001   127.0.0.1   MeshService api:8080
  10002   127.0.0.1   kuma.io/service=db

NACK default/web-1 refuses it and keeps its last good configuration
  resource  Cluster api
  Envoy     no
  -> heddle inspect dataplane web-1 --mesh default`,
  );
});

test("renderDataplane() leaves out what is not known", () => {
  assert.equal(
    renderDataplane(parseDataplaneRow({ mesh: "m", name: "new" }), NOW, plain),
    "Dataplane m/new: Offline\n  connected    never\n  updates      0 sent, 0 acknowledged, 0 refused",
  );
});
