import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CaRotationReport, CertificatesReport } from "@heddle/api/reports.ts";
import { builtinSecretNames } from "@heddle/identity/backends/builtin/ca-request.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import { application } from "./application.ts";
import { mesh, secret, shortConnections } from "./authorities.ts";
import { ControlPlaneProcess } from "./control-plane-process.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { ALLOW_ALL, type Ending, Mesh, meshService, type Sidecar } from "./lab.ts";
import { type OpenBao, startOpenBao } from "./openbao.ts";
import { shownCertificate } from "./shown-certificates.ts";
import { ask } from "./traffic.ts";

/** Replaced after seven to ten seconds, so that a control plane may be away for thirty: an eternity, but on a busy machine. */
const SHORT_LIFE = "40s";
/** For changes of authority, which replace certificates by themselves. */
export const LONG_LIFE = "2m";
const LEFT_MILLIS = 80_000;
/** Three quarters of any life is the most that certificates have left when they are replaced. */
const TARGET = "90s";
/** Connections to "fresh" end at once, so that handshakes happen all the time; those to "kept" stay. */
const SERVICES = ["kept", "fresh"] as const;
const SHORT_CONNECTIONS = shortConnections({ kind: "MeshService", name: "fresh" });

export type Backend = "ca-1" | "vault-root" | "vault-intermediate";

/** Which authority signs at first, and how long its certificates live. */
interface Start {
  readonly signs?: Backend;
  readonly life?: string;
}

/** A certificate of a peer and its key, as PEM. */
export interface Peer {
  readonly cert: string;
  readonly key: string;
}

/** A control plane that can be killed, a real OpenBao, a caller and a service whose certificates live for seconds. */
export class RotatingMesh {
  readonly #mesh: Mesh;
  readonly #controlPlane: ControlPlaneProcess;
  readonly #bao: OpenBao;
  readonly #sidecars: { readonly web: Sidecar; readonly backend: Sidecar };

  private constructor(
    mesh: Mesh,
    controlPlane: ControlPlaneProcess,
    bao: OpenBao,
    sidecars: { readonly web: Sidecar; readonly backend: Sidecar },
  ) {
    this.#mesh = mesh;
    this.#controlPlane = controlPlane;
    this.#bao = bao;
    this.#sidecars = sidecars;
  }

  /** Starts all of it, by default with the builtin authority and certificates of 40 seconds. Requests are answered with the certificate that the caller showed. */
  static async start(t: Ending, { signs = "ca-1", life = SHORT_LIFE }: Start = {}): Promise<RotatingMesh> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-rotating-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const bao = await startOpenBao(t);
    const env = { HEDDLE_CERTIFICATES_AVAILABILITY_TARGET: TARGET };
    const controlPlane = new ControlPlaneProcess(folder, await freePorts(3), env);
    t.after(() => controlPlane.kill());
    await controlPlane.start();
    const { apiUrl, dpPort } = controlPlane;
    const lab = new Mesh(t, { apiUrl, dpPort, caPem: await controlPlane.caPem() }, folder);
    const services = SERVICES.map((name) => meshService(name, { labels: { app: "backend" } }));
    const first = mesh(signs, backendOf(signs, bao, life));
    const token = secret("vault-token", bao.rootToken);
    await lab.apply([token, first, ALLOW_ALL, SHORT_CONNECTIONS, ...services].join("---\n"));
    const app = await application(t, "backend", ({ headers }, response) => {
      response.end(/Hash=(\w+)/.exec(String(headers["x-forwarded-client-cert"]))?.[1]);
    });
    const backend = await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
    const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: SERVICES });
    const rotating = new RotatingMesh(lab, controlPlane, bao, { web, backend });
    for (const url of rotating.urls) await eventually(async () => assert.equal((await ask(url)).status, 200));
    return rotating;
  }

  /** Where the caller's application finds the service: over connections that stay, and over ever new ones. */
  get urls(): readonly string[] {
    return SERVICES.map(this.#sidecars.web.outbound);
  }

  get apiUrl(): string {
    return this.#controlPlane.apiUrl;
  }

  /** Where the service's sidecar meets its peers. */
  get port(): number {
    return this.#sidecars.backend.inboundPort;
  }

  /** How often the caller's sidecar has shown and verified certificates: resumed sessions do neither. */
  async handshakes(): Promise<number> {
    const lines = await eventually(async () => {
      const response = await fetch(`${this.apiUrl}/meshes/default/dataplanes/web-1/stats`);
      assert.ok(response.ok, await response.clone().text());
      return (await response.text()).split("\n");
    });
    const sum = (name: string): number =>
      lines
        .filter((line) => line.startsWith("cluster.") && line.includes(name))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
    return sum(".ssl.handshake: ") - sum(".ssl.session_reused: ");
  }

  /** Which certificates the sidecars show to each other now: the caller's by its hash, the service's by its number. */
  async shown(): Promise<{ readonly caller: string; readonly service: string }> {
    // Over connections that stay the caller is who it was when they began.
    const { status, body } = await ask(this.#sidecars.web.outbound("fresh"));
    assert.equal(status, 200, body);
    return { caller: body, service: (await shownCertificate(this.port))?.serialNumber ?? "" };
  }

  /** Kills the control plane, which must have lived until then, and starts another one in its place. */
  async restart(): Promise<void> {
    const { pid, hasEnded } = this.#controlPlane;
    assert.ok(!hasEnded, `the control plane ended by itself:\n${this.#controlPlane.output}`);
    await this.#controlPlane.kill();
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" }, `process ${pid} was killed and is there`);
    await this.#controlPlane.start();
    assert.notEqual(this.#controlPlane.pid, pid);
  }

  /** Mesh default with these backends, and certificates of two minutes once it is done, so that the control plane may go away. */
  async trust(signs: Backend, ...others: readonly Backend[]): Promise<void> {
    const wanted = mesh(signs, ...[signs, ...others].map((name) => backendOf(name, this.#bao, LONG_LIFE)));
    // A backend that goes is judged by the insights in the store, which are some milliseconds late.
    await eventually(() => this.#mesh.apply(wanted));
    await eventually(async () => {
      const { items } = (await this.#mesh.get("/meshes/default/_certificates")) as CertificatesReport;
      for (const { name, expiresAt = "" } of items)
        assert.ok(Date.parse(expiresAt) - Date.now() > LEFT_MILLIS, `${name} has a certificate until ${expiresAt}`);
    }, 30_000);
  }

  /** Rotates by the API, and waits for the end; what shall happen in the middle begins when the rotation has. */
  async rotate(
    wish: { readonly to?: Backend; readonly removeOld?: boolean },
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<void> {
    const response = await fetch(`${this.apiUrl}/meshes/default/ca-rotations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wish),
    });
    assert.ok(response.ok, await response.clone().text());
    const { id, phase } = (await response.json()) as CaRotationReport;
    assert.equal(phase, "trusting");
    await meanwhile();
    await this.rotated(id);
  }

  /** Waits until the rotation that runs, or ran last, is this one and done. */
  async rotated(id: string): Promise<void> {
    await eventually(async () => {
      const report = await this.rotation();
      assert.equal(report.id, id);
      assert.ok(report.done && report.phase !== "stopped", JSON.stringify(report));
      assert.equal(report.certificates.reached, 2, JSON.stringify(report.certificates));
    }, 60_000);
  }

  /** How far the rotation is that runs, or ran last. */
  async rotation(): Promise<CaRotationReport> {
    return (await this.#mesh.get("/meshes/default/ca-rotations/current")) as CaRotationReport;
  }

  /** A certificate for an hour of an authority as it is now: that of a peer which missed whatever comes. */
  async peer(backend: Backend): Promise<Peer> {
    return backend === "ca-1" ? await this.#builtinPeer() : await this.#vaultPeer(mountOf(backend));
  }

  /** What the service's sidecar answers a peer: a status, or 0 when it refuses to talk to it. */
  async answer({ cert, key }: Peer): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const options = { host: "127.0.0.1", port: this.port, cert, key, agent: false, rejectUnauthorized: false };
    const call = request(options, (response) => resolve(response.resume().statusCode ?? 0));
    call.once("error", () => resolve(0)).end();
    return await promise;
  }

  /** Gives OpenBao's mount "pki-leaf" a new intermediate under a root that is elsewhere; it signs from now on. */
  async newIntermediate(): Promise<void> {
    const { data: mounts } = await this.#bao.call("GET", "sys/mounts");
    if (mounts?.["pki-leaf/"] === undefined) await this.#mountIntermediate();
    const made = await this.#bao.call("POST", "pki-leaf/intermediate/generate/internal", {
      common_name: "leaf",
      key_type: "ec",
    });
    const signed = await this.#bao.call("POST", "pki-elsewhere/root/sign-intermediate", {
      csr: made.data?.["csr"],
      ttl: "600h",
    });
    const certificate = `${String(signed.data?.["certificate"])}\n${String(signed.data?.["issuing_ca"])}`;
    const { data } = await this.#bao.call("POST", "pki-leaf/intermediate/set-signed", { certificate });
    const mapping = data?.["mapping"] as Readonly<Record<string, string>>;
    // The one that has a key here is the intermediate, not its root.
    const issuer = Object.keys(mapping).find((id) => mapping[id] !== "");
    await this.#bao.call("POST", "pki-leaf/config/issuers", { default: issuer });
  }

  async #mountIntermediate(): Promise<void> {
    for (const mount of ["pki-elsewhere", "pki-leaf"]) await this.#bao.call("POST", `sys/mounts/${mount}`, PKI);
    const root = { common_name: "elsewhere", ttl: "700h", key_type: "ec" };
    await this.#bao.call("POST", "pki-elsewhere/root/generate/internal", root);
    const { data: role } = await this.#bao.call("GET", "pki-default/roles/dataplanes");
    await this.#bao.call("POST", "pki-leaf/roles/dataplanes", { ...role });
  }

  async #builtinPeer(): Promise<Peer> {
    const names = builtinSecretNames("default", "ca-1");
    const read = async (name: string): Promise<string> => {
      const { data } = (await this.#mesh.get(`/meshes/default/secrets/${name}`)) as { readonly data: string };
      return Buffer.from(data, "base64").toString("utf8");
    };
    const now = new Date();
    const ca = loadCa({ certificatePem: await read(names.certificate), keyPem: await read(names.key) }, now);
    assert.ok(ca.ok);
    const leaf = { uris: [PEER], usages: ["client"], validitySeconds: 3_600, now } as const;
    const { certificatePem, keyPem } = await issueCertificate(ca.value, leaf);
    return { cert: certificatePem, key: keyPem };
  }

  async #vaultPeer(mount: string): Promise<Peer> {
    const { data } = await this.#bao.call("POST", `${mount}/issue/dataplanes`, { uri_sans: PEER, ttl: "1h" });
    return { cert: [data?.["certificate"], data?.["issuing_ca"]].join("\n"), key: String(data?.["private_key"]) };
  }
}

const PEER = "spiffe://default/stale";
const PKI = { type: "pki", config: { max_lease_ttl: "8760h" } };

function mountOf(backend: Exclude<Backend, "ca-1">): string {
  return backend === "vault-root" ? "pki-default" : "pki-leaf";
}

function backendOf(name: Backend, { address }: OpenBao, expiration: string): object {
  const dpCert = { rotation: { expiration } };
  if (name === "ca-1") return { name, type: "builtin", dpCert };
  const auth = { token: { secret: "vault-token" } };
  return { name, type: "vault", dpCert, conf: { fromCp: { address, pki: mountOf(name), role: "dataplanes", auth } } };
}
