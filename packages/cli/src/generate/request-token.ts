import { pathOf, type Api } from "../api/api.ts";

/** Has the control plane sign a token. */
export async function requestToken(api: Api, kind: "dataplane" | "user" | "zone", body: object): Promise<string> {
  const call = { method: "POST", path: pathOf("tokens", kind), body, action: `make a ${kind} token` } as const;
  const { text } = await api.call(call);
  return text.trim();
}
