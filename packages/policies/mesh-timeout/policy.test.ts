import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshTimeout } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshTimeout, policies);
