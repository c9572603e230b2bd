import type { Verdict, WriteGuard } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";

/** Keeps a mesh while proxies are in it: without their mesh they would lose identity, policies and configuration. */
export function meshDeletionGuard({ unsafeDelete }: Pick<ApiSettings, "unsafeDelete">): WriteGuard {
  return async (write, read): Promise<Verdict> => {
    if (write.operation !== "delete" || write.kind.type !== "Mesh" || unsafeDelete) return {};
    const page = await read.list({ type: "Dataplane", mesh: write.previous.name, size: 3 });
    if (page.total === 0) return {};
    const names = page.items.map((each) => each.name).join(", ");
    const some = page.total > page.items.length ? `${names} and ${page.total - page.items.length} more` : names;
    const message = `unable to delete mesh, there are still some dataplanes attached: ${some}; stop or delete them first`;
    return { violations: [{ field: "mesh", message }] };
  };
}
