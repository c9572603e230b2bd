import { ok, type Route } from "../http/route.ts";

/** Who the control plane takes the caller for. */
export function whoAmIRoute(): Route {
  return {
    method: "GET",
    path: "/who-am-i",
    title: "Could not tell who you are",
    needs: "read",
    doc: { summary: "Who the caller is", tag: "Control plane", answer: "{name, groups}" },
    handle: ({ user }) => ok({ name: user.name, groups: user.groups }),
  };
}
