/** What a read can print: a table for people, the rest for programs. */
export const OUTPUTS = ["table", "wide", "yaml", "json", "name"] as const;
export type Output = (typeof OUTPUTS)[number];

/** Data for programs: JSON with two spaces, or YAML. Without a line end; nothing else goes to standard output then. */
export async function formatData(value: unknown, output: "json" | "yaml"): Promise<string> {
  if (output === "json") return JSON.stringify(value, null, 2);
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd();
}
