import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshExtAuthz } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshExtAuthz, policies);
