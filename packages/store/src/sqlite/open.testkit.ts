import { openSqliteStore } from "../sqlite.ts";

/** A program for tests: opens the store that it is given, closes it, and says how that went. */
try {
  const store = await openSqliteStore({ file: process.argv[2] ?? "" });
  await store[Symbol.asyncDispose]();
  console.log("opened");
} catch (error) {
  console.log(String(error));
}
