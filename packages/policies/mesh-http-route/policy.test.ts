import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshHttpRoute } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshHttpRoute, policies);
