import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshRateLimit } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshRateLimit, policies);
