import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshRetry } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshRetry, policies);
