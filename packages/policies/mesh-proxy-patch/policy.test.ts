import { goldenCases } from "@heddle/engine/testkit/golden.ts";
import { policies } from "../index.ts";
import { meshProxyPatch } from "./policy.ts";

goldenCases(`${import.meta.dirname}/cases`, meshProxyPatch, policies);
