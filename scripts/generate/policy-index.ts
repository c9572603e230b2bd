import type { GeneratedFile } from "./generated-files.ts";

/** packages/policies/index.ts: the one file that knows all policies, an import a policy, so that a new one adds two lines. */
export function policyIndex(folders: readonly string[]): GeneratedFile {
  const imports = folders.map((folder) => `import { ${constantOf(folder)} } from "./${folder}/policy.ts";\n`);
  const items = folders.map((folder) => `  ${constantOf(folder)},\n`);
  const content = `// Written by \`npm run generate\` from the folders beside it.
${imports.join("")}
/** Every policy there is, in the order of their names. */
export const policies = [
${items.join("")}] as const;
`;
  return { path: "packages/policies/index.ts", content };
}

/** The folder "mesh-http-route" holds the policy `meshHttpRoute`. */
export function constantOf(folder: string): string {
  return folder.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
