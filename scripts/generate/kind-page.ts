import { readFileSync } from "node:fs";
import { hostnameGenerator } from "@heddle/model/kinds/hostname-generator.ts";
import { meshExternalService } from "@heddle/model/kinds/mesh-external-service.ts";
import { meshMultiZoneService } from "@heddle/model/kinds/mesh-multi-zone-service.ts";
import { z } from "zod";
import { fieldTable } from "./field-table.ts";
import type { GeneratedFile } from "./generated-files.ts";

const PAGES = {
  "hostname-generator": hostnameGenerator,
  "mesh-external-service": meshExternalService,
  "mesh-multi-zone-service": meshMultiZoneService,
};

/** The guide's pages of the kinds of services: what their text says, then a table of every field. */
export function kindPages(): readonly GeneratedFile[] {
  return Object.entries(PAGES).map(([name, { type, schema }]) => {
    const source = `packages/model/src/kinds/docs/${name}.md`;
    const fields = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    const content = `<!-- Written by \`npm run generate\` from ${source} and packages/model/src/kinds/${name}.ts: edit those. -->

${readFileSync(source, "utf8").trim()}

## Fields of ${type}

${fieldTable(fields)}`;
    return { path: `docs/guide/services/${name}.md`, content };
  });
}
