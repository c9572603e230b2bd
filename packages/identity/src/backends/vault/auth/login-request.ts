import { readFile } from "node:fs/promises";
import type { VaultLogin } from "../settings.ts";
import { signedIdentityRequest } from "./aws-identity.ts";

/** What is posted to log in, and where behind /v1/. */
export interface LoginRequest {
  readonly path: string;
  readonly body: object;
}

/** The request that logs the control plane in; throws when this machine has not what it takes. */
export async function loginRequest(login: Exclude<VaultLogin, { by: "token" | "agent" }>): Promise<LoginRequest> {
  switch (login.by) {
    case "tls":
      // Who it is, the certificate of the connection says.
      return { path: "auth/cert/login", body: {} };
    case "kubernetes":
      return {
        path: `auth/${login.path}/login`,
        // Read each time: Kubernetes replaces it about once an hour.
        body: { role: login.role, jwt: (await readFile(login.tokenPath, "utf8")).trim() },
      };
    case "aws":
      return {
        path: "auth/aws/login",
        body: { ...(login.role === undefined ? {} : { role: login.role }), ...(await signedIdentityRequest(login)) },
      };
  }
}
