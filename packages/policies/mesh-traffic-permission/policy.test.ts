import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshTrafficPermission } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshTrafficPermission, policies);
