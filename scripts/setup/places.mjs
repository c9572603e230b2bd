import { fileURLToPath } from "node:url";

/** The top of the clone. (Not import.meta.dirname: the first releases of Node 20 lack it.) */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Everything that set-up fetches or makes stands here or in node_modules, so deleting both is a fresh start. */
export const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));

/** The whole output of the tools that set-up ran last, for what the screen leaves out. */
export const LOG_FILE = fileURLToPath(new URL("../../.tools/setup.log", import.meta.url));
