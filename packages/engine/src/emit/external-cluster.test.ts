import { join } from "node:path";
import { goldenFolder } from "../testkit/golden.ts";

// Secrets stand beside host names only: Envoy 1.40 crashes when it validates a bootstrap in which a cluster with fixed
// addresses has a secret from ADS. When it runs it takes them, as test/end-to-end/external-services.test.ts shows.
goldenFolder(join(import.meta.dirname, "external-cases"), {
  title: "MeshExternalService",
  isSubject: ({ type }) => type === "MeshExternalService" || type === "ExternalService",
  others: [],
  policies: [],
});
