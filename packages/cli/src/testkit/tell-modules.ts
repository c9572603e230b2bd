// Preloaded (node --import) into a command to find out which files it loads; told on standard error as it ends.
import { registerHooks } from "node:module";

const loaded: string[] = [];
registerHooks({
  load: (url, context, next) => {
    loaded.push(url);
    return next(url, context);
  },
});
process.on("exit", () => process.stderr.write(JSON.stringify(loaded)));
