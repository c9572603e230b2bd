import { ApiError } from "./api-error.ts";
import { kumaTypeOf } from "./kuma-types.ts";
import { matchesTemplate, nearestPath } from "./nearest-path.ts";
import type { Route } from "./route.ts";

/** Why no route answers: 405 when the path knows other methods, else 404 with the nearest path that exists. */
export function noRoute(routes: readonly Route[], method: string, path: string): ApiError {
  const here = routes.filter((route) => matchesTemplate(route.path, path)).map((route) => route.method);
  if (here.length > 0 && here.every((known) => known !== method)) {
    const allow = [...new Set(here)].toSorted().join(", ");
    const detail = `Cannot ${method} "${path}": this path takes ${allow} only`;
    return new ApiError(405, detail, { title: "Method Not Allowed", headers: { allow } });
  }
  const templates = [...new Set(routes.map((route) => route.path))];
  const type = kumaTypeOf(path);
  if (type !== undefined && !templates.some((template) => kumaTypeOf(template) === type)) {
    const detail = `Cannot ${method} "${path.slice(0, 200)}": ${type} of Kuma is not served here; GET /_resources lists what is`;
    return new ApiError(404, detail, { title: "Not Found" });
  }
  const near = nearestPath(templates, path);
  const next = near === undefined ? "all paths are listed at /openapi.json" : `did you mean "${near}"?`;
  return new ApiError(404, `Cannot ${method} "${path.slice(0, 200)}": there is no such path; ${next}`, {
    title: "Not Found",
  });
}
