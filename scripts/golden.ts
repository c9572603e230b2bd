// npm run golden: writes the golden files anew, by running their tests. Read the diff before you commit it.
import { runTests } from "./test/run-tests.ts";

process.env["UPDATE_GOLDEN"] = "1";
process.exitCode = await runTests(["packages/policies/**/*.test.ts", "packages/model/src/legacy/*.test.ts"]);
