import { enableCompileCache } from "node:module";

// Kept between runs, so that a command starts in a fraction of the time.
enableCompileCache();
const { runCommandLine } = await import("./run-command-line.ts");
await runCommandLine(process.argv.slice(2));
