import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshGlobalRateLimit } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshGlobalRateLimit, policies);
