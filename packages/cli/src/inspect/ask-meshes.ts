import { type Api, pathOf } from "../api/api.ts";
import { readPages } from "../api/pages.ts";
import { record, text } from "../json.ts";

/** An answer below `/meshes/{mesh}`, of one mesh or of every one. */
export async function askMeshes(
  api: Api,
  { mesh, below, action }: { readonly mesh: string | undefined; readonly below: string; readonly action: string },
): Promise<readonly { readonly mesh: string; readonly answer: unknown }[]> {
  const names = mesh === undefined ? await meshNames(api) : [mesh];
  return await Promise.all(
    names.map(async (name) => ({
      mesh: name,
      answer: await api.json({ path: pathOf("meshes", name, below), action: `${action} of mesh "${name}"` }),
    })),
  );
}

async function meshNames(api: Api): Promise<readonly string[]> {
  const { items } = await readPages(api, { path: "/meshes", action: "list the meshes" });
  return items.flatMap((item) => text(record(item)["name"]) ?? []);
}
