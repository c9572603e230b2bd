import { test, type TestContext } from "node:test";
import type { Store } from "@heddle/model/store.ts";
import { listContract } from "./contract/lists.ts";
import { watchContract } from "./contract/watches.ts";
import { writeContract } from "./contract/writes.ts";
import type { StoreSettings } from "./settings.ts";

/** Opens an empty store for one test. The test closes it; what else must go afterwards is for `t.after`. */
export type OpenStore = (t: TestContext, settings: StoreSettings) => Promise<Store>;

/** A test of the contract: a sentence, and what it does with an empty store. */
export type ContractTest = (
  sentence: string,
  body: (store: Store, t: TestContext) => Promise<void>,
  settings?: StoreSettings,
) => void;

/**
 * Registers the tests that every implementation of Store must pass, so that whatever is built on one works on all.
 * Nothing is asked of versions and revisions but that they grow: other stores may number them in steps.
 */
export function storeContract(name: string, open: OpenStore): void {
  const contractTest: ContractTest = (sentence, body, settings = {}) => {
    test(`${name} ${sentence}`, { timeout: 20_000 }, async (t) => {
      await using store = await open(t, settings);
      await body(store, t);
    });
  };
  writeContract(contractTest);
  listContract(contractTest);
  watchContract(contractTest);
}
