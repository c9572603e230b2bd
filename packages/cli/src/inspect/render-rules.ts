import { stringify } from "yaml";
import { list, number, record, records, text, textMap, type Json } from "../json.ts";
import type { Paint } from "../output/paint.ts";
import { pairs } from "../tables/resource-tables.ts";

/** The rules in force at a proxy, as `_rules` tells them: for each type of policy what it says, where, and who said it. */
export function renderRules(answer: unknown, paint: Paint): string {
  const types = records(record(answer)["rules"]);
  const sections = types.map((entry) => renderType(entry, paint)).filter((section) => section !== "");
  return sections.length === 0 ? "No policy reaches this proxy" : sections.join("\n\n");
}

function renderType(entry: Json, paint: Paint): string {
  const blocks = [
    ...proxyBlocks(entry),
    ...records(entry["inboundRules"]).flatMap((each) => inboundBlocks(each)),
    ...records(entry["fromRules"]).flatMap((each) => inboundBlocks(each)),
    ...records(entry["toResourceRules"]).map(destinationBlock),
    ...records(entry["toRules"]).map((rule) => ({
      title: `to ${subset(rule)}`,
      conf: rule["conf"],
      origin: rule["origin"],
    })),
  ];
  const warnings = list(entry["warnings"]).map((warning) => `  ${paint("yellow", "warning:")} ${String(warning)}`);
  if (blocks.length + warnings.length === 0) return "";
  return [
    paint("bold", text(entry["type"]) ?? ""),
    ...blocks.flatMap((block) => blockLines(block, paint)),
    ...warnings,
  ].join("\n");
}

interface Block {
  readonly title: string;
  readonly conf: unknown;
  readonly origin: unknown;
}

function proxyBlocks(entry: Json): readonly Block[] {
  if (entry["proxyRule"] === undefined) return [];
  const rule = record(entry["proxyRule"]);
  return [{ title: "whole proxy", conf: rule["conf"], origin: rule["origin"] }];
}

function inboundBlocks(entry: Json): readonly Block[] {
  const inbound = record(entry["inbound"]);
  const [name, port] = [text(inbound["name"]), String(number(inbound["port"]) ?? "?")];
  // An inbound without a name goes by its port.
  const title = `inbound ${name === undefined || name === port ? "" : `${name} `}port ${port}`;
  return records(entry["rules"]).map((rule) => {
    const caller = rule["match"] === undefined ? subset(rule) : JSON.stringify(rule["match"]);
    return {
      title: caller === "anything" ? title : `${title}, from ${caller}`,
      conf: rule["conf"],
      origin: rule["origin"],
    };
  });
}

function destinationBlock(rule: Json): Block {
  const meta = record(rule["resourceMeta"]);
  const section = text(rule["resourceSectionName"]);
  const title = `to ${text(meta["type"]) ?? ""} ${text(meta["name"]) ?? ""}${section === undefined ? "" : ` port ${section}`}`;
  return { title, conf: rule["conf"], origin: rule["origin"] };
}

/** The tags that a rule of Kuma 2.x is for: "kuma.io/service=web", "kuma.io/service!=web". */
function subset(rule: Json): string {
  const matchers = records(rule["matchers"]).map(
    ({ key, value, not }) => `${String(key)}${not === true ? "!=" : "="}${String(value)}`,
  );
  return matchers.length === 0 ? "anything" : matchers.join(" ");
}

function blockLines({ title, conf, origin }: Block, paint: Paint): readonly string[] {
  // Merged configuration comes in a list of one; several are kept apart because they do not merge.
  const confs = Array.isArray(conf) ? conf : [conf];
  const lines = confs.flatMap((each) => stringify(each, { lineWidth: 0 }).trimEnd().split("\n"));
  const origins = records(origin).map(originName);
  return [
    `  ${paint("cyan", title)}`,
    ...lines.map((line) => `    ${line}`),
    ...(origins.length === 0 ? [] : [paint("dim", `    from ${origins.join(", ")}`)]),
  ];
}

function originName(origin: Json): string {
  const meta = record(origin["resourceMeta"] ?? origin);
  const rule = number(origin["ruleIndex"]);
  const labels = pairs(textMap(meta["labels"]));
  const name = text(meta["name"]) ?? text(meta["kri"]) ?? labels;
  return `${text(meta["mesh"]) ?? ""}/${name}${rule === undefined ? "" : ` (rule ${rule})`}`;
}
