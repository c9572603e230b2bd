/** Loaded into a control plane that is measured: SIGUSR2 collects garbage, so that what is left is what it holds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
process.on("SIGUSR2", () => {
  // What was only held by finished promises and closed sockets goes in the second round.
  collect();
  setTimeout(collect, 100).unref();
});
