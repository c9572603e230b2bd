import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshCircuitBreaker } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshCircuitBreaker, policies);
