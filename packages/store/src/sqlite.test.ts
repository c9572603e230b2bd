import { storeContract } from "./contract.ts";
import { openSqliteStore } from "./sqlite.ts";
import { temporaryFile } from "./sqlite/testkit.ts";

storeContract("sqlite store:", (t, settings) => openSqliteStore({ file: temporaryFile(t), ...settings }));
