import { parseListQuery } from "@heddle/api/resources/list-query.ts";
import { matchesTemplate, nearestPath } from "@heddle/api/http/nearest-path.ts";
import { parseAddress } from "@heddle/cli/profiles/choose-profile.ts";
import { UsageError } from "@heddle/cli/cli-error.ts";
import { KINDS } from "@heddle/control-plane/kinds.ts";
import { parseNodeId } from "@heddle/control-plane/proxies/sessions.ts";
import { readCaller } from "@heddle/control-plane/rate-limit/keys.ts";
import { parseActivity } from "@heddle/data-plane/envoy/activity.ts";
import { parseRevocations } from "@heddle/identity/token-secrets.ts";
import { isDuration, parseDuration, toMillis } from "@heddle/model/duration.ts";
import { renderHostname, templateProblem } from "@heddle/model/hostname-template.ts";
import { formatKri, parseKri } from "@heddle/model/kri.ts";
import { whyNotRe2 } from "@heddle/model/regular-expression.ts";
import { renderSpiffeTemplate } from "@heddle/model/spiffe.ts";
import { spiffeTemplateViolations, usesWorkload } from "@heddle/model/spiffe-template.ts";
import { parseBandwidth } from "@heddle/policies/mesh-fault-injection/bandwidth.ts";
import { parseAgentConfig } from "@heddle/policies/mesh-opa/agent-config.ts";
import { readCidr, readDomain, readIp } from "@heddle/policies/mesh-passthrough/address.ts";
import { XdsRefusal } from "@heddle/xds/hooks.ts";
import { allowing, fromTexts, holds, type Target, type TargetPlan, textOf } from "../target.ts";

interface Words {
  readonly corpus: readonly string[];
  readonly share: number;
  readonly read: (text: string) => unknown;
}

const LABELS = { "kuma.io/workload": "w", team: "x" };
const HOST = { name: "n", displayName: "d", namespace: "ns", mesh: "m", zone: "z", labels: LABELS };

const WORDS: Readonly<Record<string, Words>> = {
  kri: {
    corpus: ["kri_mt_default_zone-1__slow_", "kri_dp_m_z_n_web_http", "kri_msvc_default____80"],
    share: 10,
    read: (text) => {
      const kri = parseKri(text, "kri");
      if (kri.ok) holds(formatKri(kri.value) === text, "a KRI is printed as it was written");
    },
  },
  duration: {
    corpus: ["5s", "1h30m", "250ms", "0", "1.5us", "3y2w1d"],
    share: 15,
    read: (text) => {
      const parsed = parseDuration(text, "at");
      holds(parsed.ok === isDuration(text), "both readers of durations agree");
      if (parsed.ok) holds(toMillis(text) === parsed.value && parsed.value >= 0, "a duration is not negative");
    },
  },
  templates: {
    corpus: [
      "{{ .Mesh }}.{{ .Zone }}.mesh.local",
      '/ns/{{ label "team" }}/{{ .Workload }}',
      "{{ .DisplayName }}.svc.{{ .Zone }}",
    ],
    share: 10,
    read: (text) => {
      const violations = spiffeTemplateViolations({ trustDomain: text, path: text });
      usesWorkload({ path: text });
      const spiffe = renderSpiffeTemplate(text, { mesh: "m", zone: "z", labels: LABELS }, "at");
      holds(spiffe.ok || violations.length > 0, "a template that cannot be rendered was refused when it was written");
      const host = renderHostname(text, HOST);
      if (host.ok)
        holds(templateProblem(text) === undefined, "a template that renders was accepted when it was written");
    },
  },
  "regular-expressions": {
    corpus: ["^/api/v[0-9]+/.*$", "(a|b)*c{2,5}", "[[:alpha:]]+", "(?P<x>\\pL+)\\b", "(?i)x{1,1000}"],
    share: 8,
    read: (text) => whyNotRe2(text),
  },
  addresses: {
    corpus: [
      "10.0.0.0/8",
      "2001:db8::/32",
      "*.example.com",
      "1.2.3.4",
      "http://localhost:5681/",
      "50 mbps",
      "1.5 Gbps",
    ],
    share: 10,
    read: (text) => {
      readIp(text);
      readCidr(text);
      readDomain(text);
      parseBandwidth(text);
      allowing(() => parseAddress(text), UsageError);
    },
  },
  names: {
    corpus: [
      "default.web-1",
      "heddle://rate-limit/default/web",
      "a, b\nc",
      "cluster.x.upstream_rq_active: 3\nlistener.y: 4\n",
    ],
    share: 6,
    read: (text) => {
      allowing(() => parseNodeId(text), XdsRefusal);
      readCaller(text);
      parseRevocations(text);
      parseActivity(text);
    },
  },
  queries: {
    corpus: [
      "size=10&offset=3&name=web",
      "filter[labels.team]=x&filter[labels.k8s.io/x]=y",
      "tag=a:b&gateway=delegated&status=online",
    ],
    share: 10,
    read: (text) => {
      const query = new URLSearchParams(text);
      for (const type of ["Dataplane", "MeshTimeout"]) {
        const kind = KINDS.byType(type);
        if (kind !== undefined) parseListQuery(kind, query, "default");
      }
      matchesTemplate("/meshes/{mesh}/dataplanes/{name}", `/${text}`);
      nearestPath(["/meshes/{mesh}", "/zones/{name}"], `/${text}`);
    },
  },
  "opa-configuration": {
    corpus: ["decision_logs: { console: true }\nplugins: { envoy_ext_authz_grpc: { path: envoy/authz/allow } }\n"],
    share: 3,
    read: (text) => parseAgentConfig(text, "conf"),
  },
};

/** Small languages: a text, and what it means. */
export const WORD_TARGETS: readonly TargetPlan[] = Object.entries(WORDS).map(([name, { corpus, share, read }]) => ({
  name,
  share,
  open: (): Target => ({ name, make: fromTexts(corpus), run: (input) => void read(textOf(input)) }),
}));
