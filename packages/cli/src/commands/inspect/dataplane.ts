import { pathOf, type Api } from "../../api/api.ts";
import { UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { formatData } from "../../output/data.ts";

const VIEWS = ["summary", "policies", "rules", "config", "config-dump", "stats", "clusters"] as const;

interface Wish {
  readonly mesh: string;
  readonly type: (typeof VIEWS)[number];
  readonly shadow?: true | undefined;
  readonly include?: "diff" | undefined;
  readonly includeEds?: true | undefined;
  readonly output?: "json" | "yaml" | undefined;
}

/** What a view shows: a text for people, or data that is the answer itself. */
type View = { readonly text: string } | { readonly data: unknown };

/** `heddle inspect dataplane`: one proxy, seen from one of several sides. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("<name>", "the proxy")
    .option("-m, --mesh <mesh>", "its mesh", "default")
    .addOption(
      command
        .createOption("--type <view>", "what to show")
        .choices(VIEWS)
        .default("summary" as const),
    )
    .option("--shadow", "config: with the policies that are labelled kuma.io/effect: shadow")
    .addOption(
      command
        .createOption("--include <part>", "config: also how it differs from what the proxy has")
        .choices(["diff"] as const),
    )
    .option("--include-eds", "config-dump: with the endpoints")
    .addOption(command.createOption("-o, --output <format>", "data for programs").choices(["json", "yaml"] as const))
    .action(async (name, options) => {
      if (options.type !== "config" && (options.shadow || options.include)) {
        throw new UsageError("Cannot use --shadow or --include here: they go with --type config");
      }
      const view = await look(await connect(typed, cli), cli, name, options);
      cli.terminal.print("text" in view ? view.text : await formatData(view.data, options.output ?? "yaml"));
    });
  addExamples(typed, [
    ["heddle inspect dataplane web-1", "how it is, its certificate, its ports, what it refuses"],
    ["heddle inspect dataplane web-1 --type policies", "the policies in force at each of its ports"],
    ["heddle inspect dataplane web-1 --type config --shadow --include diff", "what policies under trial would change"],
    ["heddle inspect dataplane web-1 --type config-dump -o json", "what the running Envoy has"],
  ]);
}

async function look(api: Api, cli: Cli, name: string, wish: Wish): Promise<View> {
  const base = pathOf("meshes", wish.mesh, "dataplanes", name);
  const action = `inspect Dataplane ${wish.mesh}/${name}`;
  const { paint } = cli.terminal;
  const json = (rest: string, query = {}): Promise<unknown> => api.json({ path: base + rest, query, action });
  switch (wish.type) {
    case "summary":
      return lookAt(wish, await json("/_overview"), async (answer) => {
        const [{ parseDataplaneRow }, { renderDataplane }] = await Promise.all([
          import("../../tables/dataplane-row.ts"),
          import("../../inspect/render-dataplane.ts"),
        ]);
        return renderDataplane(parseDataplaneRow(answer), cli.now(), paint);
      });
    case "policies": {
      const { readPolicies } = await import("../../inspect/read-policies.ts");
      return lookAt(wish, await readPolicies(api, wish.mesh, name), async (policies) =>
        (await import("../../inspect/render-policies.ts")).renderPolicies(policies, paint),
      );
    }
    case "rules":
      return lookAt(wish, await json("/_rules"), async (answer) =>
        (await import("../../inspect/render-rules.ts")).renderRules(answer, paint),
      );
    case "config":
      return { data: await json("/_config", { shadow: wish.shadow, include: wish.include }) };
    case "config-dump":
      return { data: await json("/xds", { include_eds: wish.includeEds }) };
    case "stats":
    case "clusters":
      // What is asked for as JSON comes from Envoy as JSON; YAML is made of that.
      if (wish.output !== undefined) return { data: await json(`/${wish.type}`, { format: "json" }) };
      return { text: (await api.call({ path: `${base}/${wish.type}`, action })).text.trimEnd() };
  }
}

async function lookAt<Answer>(wish: Wish, answer: Answer, render: (answer: Answer) => Promise<string>): Promise<View> {
  return wish.output === undefined ? { text: await render(answer) } : { data: answer };
}
