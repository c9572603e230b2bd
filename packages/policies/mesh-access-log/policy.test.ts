import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshAccessLog } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshAccessLog, policies);
