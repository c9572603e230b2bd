import type { Kind } from "@heddle/model/kind.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import { present } from "@heddle/model/legacy/present.ts";
import { translationYaml } from "@heddle/model/legacy/translation-yaml.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Context } from "../context.ts";
import type { Route } from "../http/route.ts";
import { kindOf, requireResource } from "../resources/find.ts";
import { collectionPath } from "./kind-paths.ts";
import { keyIn } from "./resource-get.ts";

const YAML = "application/yaml; charset=utf-8";

/** What a resource of Kuma 2.x is in today's kinds. */
export function translationRoutes({ ports }: Context, kind: Kind): readonly Route[] {
  if (legacyKindOf(kind.type) === undefined) return [];
  return [
    {
      method: "GET",
      path: `${collectionPath(kind, kind.path)}/{name}/_translation`,
      title: "Could not translate a resource",
      needs: "read",
      doc: {
        summary: `What a ${kind.singular} is in today's kinds`,
        tag: kind.plural,
        answer: "Documents that can be applied in its place, under comments that say what they cannot",
        answerType: "application/yaml",
      },
      handle: async (request) => {
        const resource = await requireResource(ports.store, kind, keyIn(kind, request));
        const mesh = await requireResource(ports.store, kindOf(ports.kinds, "Mesh"), { mesh: "", name: resource.mesh });
        const presented = present(resource, mesh as Resource<MeshSpec>) ?? { documents: [], notes: [] };
        return { status: 200, contentType: YAML, text: translationYaml(resource, presented) };
      },
    },
  ];
}
