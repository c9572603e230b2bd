import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshTls } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshTls, policies);
