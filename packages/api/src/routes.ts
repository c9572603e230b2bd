import type { Kind } from "@heddle/model/kind.ts";
import type { Authorizer } from "./access/authorizer.ts";
import type { Context } from "./context.ts";
import { allGuards } from "./guards/all.ts";
import type { Route } from "./http/route.ts";
import type { Ports } from "./ports.ts";
import { authConfigRoute } from "./routes/auth-config.ts";
import { caRotationRoutes } from "./routes/ca-rotations.ts";
import { canIRoute } from "./routes/can-i.ts";
import { configRoute } from "./routes/config.ts";
import { dataplaneAccessRoute } from "./routes/dataplane-access.ts";
import { dataplaneConfigRoute } from "./routes/dataplane-config.ts";
import { dataplaneLayoutRoute } from "./routes/dataplane-layout.ts";
import { dataplaneLiveRoutes } from "./routes/dataplane-live.ts";
import { dataplaneMatchedPoliciesRoute } from "./routes/dataplane-matched-policies.ts";
import { dataplanePoliciesRoutes } from "./routes/dataplane-policies.ts";
import { dataplaneRejectionsRoute } from "./routes/dataplane-rejections.ts";
import { dataplaneRoutesRoute } from "./routes/dataplane-routes.ts";
import { dataplaneRulesRoute } from "./routes/dataplane-rules.ts";
import { encryptionKeyRoutes } from "./routes/encryption-key.ts";
import { globalInsightRoute } from "./routes/global-insight.ts";
import { indexRoute } from "./routes/index-page.ts";
import { kriRoute } from "./routes/kri.ts";
import { serverCertificatesRoute } from "./routes/server-certificates.ts";
import { meshCertificateRoutes } from "./routes/mesh-certificates.ts";
import { meshInsightRoutes } from "./routes/mesh-insights.ts";
import { meshServiceDataplaneRoutes } from "./routes/mesh-service-dataplanes.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { planRoute } from "./routes/plan.ts";
import { policiesRoute } from "./routes/policies.ts";
import { deleteRoutes } from "./routes/resource-delete.ts";
import { getRoutes } from "./routes/resource-get.ts";
import { listRoutes } from "./routes/resource-list.ts";
import { matchesRoutes } from "./routes/resource-matches.ts";
import { overviewRoutes } from "./routes/resource-overview.ts";
import { putRoutes } from "./routes/resource-put.ts";
import { translationRoutes } from "./routes/resource-translation.ts";
import { kindSchemaRoute } from "./routes/kind-schema.ts";
import { resourceTypesRoute } from "./routes/resource-types.ts";
import { rolloutsRoute } from "./routes/rollouts.ts";
import { serviceHostnamesRoutes } from "./routes/service-hostnames.ts";
import { serviceInsightRoutes } from "./routes/service-insights.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { versionsRoute } from "./routes/versions.ts";
import { whoAmIRoute } from "./routes/who-am-i.ts";
import type { ApiSettings } from "./settings.ts";

/** Every route of the API. */
export function apiRoutes(ports: Ports, settings: ApiSettings, authorizer: Authorizer): readonly Route[] {
  const judge = { kinds: ports.kinds, place: ports.info, guards: allGuards(ports, settings) };
  const context: Context = { ports, settings, judge, authorizer };
  const routes: readonly Route[] = [
    ...controlPlaneRoutes(context),
    openApiRoute(context, () => routes),
    ...ports.kinds.all.flatMap((kind) => kindRoutes(context, kind)),
    ...inspectionRoutes(context),
  ];
  return routes;
}

function controlPlaneRoutes(context: Context): readonly Route[] {
  return [
    indexRoute(context),
    whoAmIRoute(),
    authConfigRoute(context),
    canIRoute(context),
    configRoute(context),
    serverCertificatesRoute(context),
    versionsRoute(context),
    resourceTypesRoute(context),
    kindSchemaRoute(context),
    policiesRoute(context),
    globalInsightRoute(context),
    ...meshInsightRoutes(context),
    ...serviceInsightRoutes(context),
    kriRoute(context),
    planRoute(context),
    rolloutsRoute(context),
    ...tokenRoutes(context),
    ...caRotationRoutes(context),
    ...encryptionKeyRoutes(context),
  ];
}

function kindRoutes(context: Context, kind: Kind): readonly Route[] {
  return [
    ...getRoutes(context, kind),
    ...listRoutes(context, kind),
    ...putRoutes(context, kind),
    ...deleteRoutes(context, kind),
    ...overviewRoutes(context, kind),
    ...matchesRoutes(context, kind),
    ...translationRoutes(context, kind),
  ];
}

function inspectionRoutes(context: Context): readonly Route[] {
  return [
    dataplaneRulesRoute(context),
    dataplaneConfigRoute(context),
    dataplaneLayoutRoute(context),
    ...dataplanePoliciesRoutes(context),
    dataplaneMatchedPoliciesRoute(context),
    dataplaneRoutesRoute(context),
    dataplaneAccessRoute(context),
    dataplaneRejectionsRoute(context),
    ...dataplaneLiveRoutes(context),
    ...meshCertificateRoutes(context),
    ...meshServiceDataplaneRoutes(context),
    ...serviceHostnamesRoutes(context),
  ];
}
