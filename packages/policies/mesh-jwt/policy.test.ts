import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshJwt } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshJwt, policies);
