import type { KeyObject } from "node:crypto";
import type {
  DataplaneTokenRequest,
  TokenAnswer,
  Tokens,
  UserTokenRequest,
  ZoneTokenRequest,
} from "@heddle/api/ports.ts";
import { issueToken } from "@heddle/identity/issue-token.ts";
import { generateSigningKey, readSigningKey, readVerificationKey } from "@heddle/identity/signing-key.ts";
import type { ClaimsByKind, TokenKind } from "@heddle/identity/token-kind.ts";
import {
  parseRevocations,
  revocationsName,
  signingKeyName,
  signingKeySerial,
  type TokenSecretScope,
} from "@heddle/identity/token-secrets.ts";
import { type Verified, verifyToken } from "@heddle/identity/verify-token.ts";
import type { Secrets } from "../secrets.ts";
import { STORE_ONLY, type Validators } from "./validators.ts";

/** What remains of a token after somebody was let in by it. */
export type Credential = Pick<Verified<unknown> & { readonly ok: true }, "id" | "signedBy" | "expiresAt">;

/** Why a token is not good any more, as the end of a sentence about it. */
export type Judge = (credential: Credential) => string | undefined;

interface Keys {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly revoked: ReadonlySet<string>;
}

/** Issues tokens with the signing keys in the store, and verifies them with those and with the public keys of the settings. */
export class TokenService implements Tokens {
  readonly #secrets: Secrets;
  readonly #now: () => Date;
  readonly #validators: Validators;
  readonly #known = new Map<string, Promise<Keys>>();

  constructor(secrets: Secrets, now: () => Date, validators: Validators = STORE_ONLY) {
    this.#secrets = secrets;
    this.#now = now;
    this.#validators = validators;
  }

  /** Makes the first signing key of a scope, unless it has one or needs none. */
  async ensureKey(scope: TokenSecretScope): Promise<void> {
    if (!this.#validators[scope.kind].issues) return;
    const mesh = meshOf(scope);
    const names = await this.#secrets.list(mesh, signingKeyName(scope, 0).slice(0, -1));
    if (names.size === 0) await this.#secrets.ensure(mesh, signingKeyName(scope, 1), generateSigningKey);
  }

  /** Reads keys and revocations anew at the next use. Called when a secret of the mesh ("" for global) changed. */
  forget(mesh: string): void {
    for (const key of this.#known.keys()) if (key.endsWith(`/${mesh}`)) this.#known.delete(key);
  }

  /** Tells why a dataplane token of a mesh that was good once is not any more; undefined while it is. */
  async judge(mesh: string): Promise<Judge> {
    const { keys, revoked } = await this.#keys({ kind: "dataplane", mesh });
    return ({ id, signedBy: { kid, key } }) => {
      if (revoked.has(id)) return "was revoked";
      return keys.get(kid)?.equals(key) === true ? undefined : `was signed by key "${kid}", which is gone or replaced`;
    };
  }

  async verify<Kind extends TokenKind>(kind: Kind, mesh: string, token: string): Promise<Verified<ClaimsByKind[Kind]>> {
    const { keys, revoked } = await this.#keys({ kind, mesh });
    return await verifyToken(kind, token, { keys, revoked, now: this.#now() });
  }

  async issueDataplaneToken({
    mesh,
    name = "",
    tags,
    type,
    workload = "",
    validForMillis,
  }: DataplaneTokenRequest): Promise<TokenAnswer> {
    // A mesh that was just written may not have its key yet.
    await this.ensureKey({ kind: "dataplane", mesh });
    return await this.#issue("dataplane", mesh, { name, mesh, tags, type, workload }, validForMillis);
  }

  async issueZoneToken({ zone, scope, validForMillis }: ZoneTokenRequest): Promise<TokenAnswer> {
    await this.ensureKey({ kind: "zone", mesh: "" });
    return await this.#issue("zone", "", { zone, scope }, validForMillis);
  }

  async issueUserToken({ name, groups, validForMillis }: UserTokenRequest): Promise<TokenAnswer> {
    return await this.#issue("user", "", { name, groups }, validForMillis);
  }

  async #issue<Kind extends TokenKind>(
    kind: Kind,
    mesh: string,
    claims: ClaimsByKind[Kind],
    validForMillis: number,
  ): Promise<TokenAnswer> {
    const scope: TokenSecretScope = { kind, mesh };
    if (!this.#validators[kind].issues)
      return { ok: false, status: 400, detail: `Cannot issue a ${kind} token: ${ISSUED_ELSEWHERE}` };
    const stored = await this.#secrets.list(meshOf(scope), signingKeyName(scope, 0).slice(0, -1));
    const serials = [...stored.keys()].flatMap((name) => signingKeySerial(scope, name) ?? []);
    // The newest key signs; older ones only verify, until they are deleted.
    const kid = String(Math.max(...serials));
    const pem = stored.get(signingKeyName(scope, Number(kid)));
    if (pem === undefined)
      return {
        ok: false,
        status: 404,
        detail: `there is no signing key for ${kind} tokens${mesh === "" ? "" : ` of mesh "${mesh}"`}`,
      };
    const key = readSigningKey(pem);
    if (!key.ok)
      return {
        ok: false,
        status: 500,
        detail: `the signing key "${signingKeyName(scope, Number(kid))}" cannot be read`,
      };
    const token = await issueToken(
      kind,
      claims,
      { kid, key: key.value },
      { validForSeconds: Math.floor(validForMillis / 1_000), now: this.#now() },
    );
    return { ok: true, token };
  }

  #keys(scope: TokenSecretScope): Promise<Keys> {
    const key = `${scope.kind}/${meshOf(scope)}`;
    const known = this.#known.get(key) ?? this.#readKeys(scope);
    this.#known.set(key, known);
    known.catch(() => this.#known.delete(key));
    return known;
  }

  async #readKeys(scope: TokenSecretScope): Promise<Keys> {
    const mesh = meshOf(scope);
    const { useSecrets, publicKeys } = this.#validators[scope.kind];
    const stored = useSecrets ? await this.#secrets.list(mesh, signingKeyName(scope, 0).slice(0, -1)) : [];
    const revocations = await this.#secrets.read(mesh, revocationsName(scope));
    const keys = [...stored].flatMap(([name, pem]): [string, KeyObject][] => {
      const serial = signingKeySerial(scope, name);
      const key = readVerificationKey(pem);
      return serial === undefined || !key.ok ? [] : [[String(serial), key.value]];
    });
    // The settings are the operator's word: a key in the store does not get in their way.
    return { keys: new Map([...keys, ...publicKeys(mesh)]), revoked: parseRevocations(revocations ?? "") };
  }
}

const ISSUED_ELSEWHERE =
  "tokens are signed elsewhere (enableIssuer is false); sign it with --kid and --signing-key-path where the key is";

function meshOf(scope: TokenSecretScope): string {
  return scope.kind === "dataplane" ? scope.mesh : "";
}
