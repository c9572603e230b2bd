import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshTcpRoute } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshTcpRoute, policies);
