import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshOpa } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshOpa, policies);
