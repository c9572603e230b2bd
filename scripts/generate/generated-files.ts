import { existsSync, globSync, readFileSync } from "node:fs";
import { crdFiles } from "./crds.ts";
import { fieldsPage } from "./fields/page.ts";
import { kindPages } from "./kind-page.ts";
import { policyIndex } from "./policy-index.ts";
import { loadPolicy, policyPage } from "./policy-page.ts";
import { settingsPage } from "./settings-page.ts";

/** A file that is written by `npm run generate` and by nobody else. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
  /** What its sources lack, a line each. */
  readonly gaps?: readonly string[];
}

/** The names every policy folder has; tools and readers find their way by them. */
const FOLDER = ["schema.ts", "policy.ts", "policy.test.ts", "cases", "docs.md"];

/** All files that follow from the policy folders and the tables of settings, as they should be. A policy without a docs.md has no page yet. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const folders = policyFolders();
  const documented = folders.filter((folder) => existsSync(`packages/policies/${folder}/docs.md`));
  const located = await Promise.all(folders.map(async (folder) => ({ folder, policy: await loadPolicy(folder) })));
  return [
    policyIndex(folders),
    settingsPage(),
    ...kindPages(),
    ...crdFiles(located),
    ...(await Promise.all(documented.map(policyPage))),
    fieldsPage(located),
  ];
}

/** The policy folders' names, such as "mesh-timeout", sorted. */
function policyFolders(): readonly string[] {
  const manifests = globSync("packages/policies/*/policy.ts");
  return manifests.map((path) => path.split("/")[2] ?? "").toSorted();
}

function missingFiles(folder: string): readonly string[] {
  return FOLDER.map((name) => `packages/policies/${folder}/${name}`).filter((path) => !existsSync(path));
}

/** What a policy folder lacks, and generated files that are not as they should be. */
export async function checkGenerated(): Promise<readonly string[]> {
  try {
    const files = await generatedFiles();
    const stale = files.filter(({ path, content }) => currentContent(path) !== content);
    const missing = policyFolders()
      .flatMap(missingFiles)
      .map((path) => `${path}: is missing`);
    const left = leftPages(files).map((path) => `${path}: has no policy folder any more`);
    const gaps = files.flatMap((file) => file.gaps ?? []);
    return [...missing, ...stale.map(({ path }) => `${path}: is not what its sources say`), ...left, ...gaps];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Pages of policies that are gone. */
export function leftPages(files: readonly GeneratedFile[]): readonly string[] {
  const expected = new Set(files.map(({ path }) => path));
  const written = ["docs/guide/policies/*.md", "packages/model/crds/*.yaml", "packages/policies/*/crd.yaml"];
  return globSync(written).filter((path) => !expected.has(path));
}

function currentContent(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
