import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshTrace } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshTrace, policies);
