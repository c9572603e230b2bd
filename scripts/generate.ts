// npm run generate: writes what follows from the policy folders. `npm run check` fails while this would change something.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generatedFiles, leftPages } from "./generate/generated-files.ts";

const files = await generatedFiles();
for (const { path, content } of files) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
for (const path of leftPages(files)) rmSync(path);
console.log(`wrote ${files.map(({ path }) => path).join(", ")}`);
