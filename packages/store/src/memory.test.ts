import { storeContract } from "./contract.ts";
import { openMemoryStore } from "./memory.ts";

storeContract("memory store:", (_t, settings) => Promise.resolve(openMemoryStore(settings)));
