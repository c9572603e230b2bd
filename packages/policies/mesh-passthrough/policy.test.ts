import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshPassthrough } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshPassthrough, policies);
