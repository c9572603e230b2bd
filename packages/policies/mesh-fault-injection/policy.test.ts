import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshFaultInjection } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshFaultInjection, policies);
