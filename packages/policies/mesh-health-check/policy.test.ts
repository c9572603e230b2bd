import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshHealthCheck } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshHealthCheck, policies);
