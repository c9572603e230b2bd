import { openEncryptedStore } from "../encrypted.ts";
import { keysOf } from "./keys.testkit.ts";

/**
 * A program for tests of crashes: opens a store, which encrypts it if need be, then rotates its data key again and again
 * until it is killed. Arguments: the file, and the words of the keys. Prints a line at each step.
 */
const [file = "", ...words] = process.argv.slice(2);
process.stdout.write("opening\n");
const opened = await openEncryptedStore({ file, encryption: keysOf(...words), keepChanges: 100_000 });
process.stdout.write("open\n");
for (;;) await opened.rotate(({ done }) => process.stdout.write(`${done}\n`));
