import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshMetric } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshMetric, policies);
