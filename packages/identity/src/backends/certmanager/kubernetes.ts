import type * as sdk from "@kubernetes/client-node";
import { z } from "zod";
import { AuthorityFailure, type FailureKind } from "../remote/authority-failure.ts";

/** The CertificateRequests of one namespace. All of it throws AuthorityFailure. */
export interface RequestApi {
  readonly namespace: string;
  /** Any that are there: whether the API server answers, and lets us. */
  list(signal: AbortSignal): Promise<void>;
  create(request: object, signal: AbortSignal): Promise<unknown>;
  read(name: string, signal: AbortSignal): Promise<unknown>;
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** Tells each state of one from a version on; resolves when `onObject` says that it is over, or the server ends it. */
  follow(
    from: { readonly name: string; readonly version: string },
    onObject: (object: unknown) => "over" | "goes on",
    signal: AbortSignal,
  ): Promise<void>;
}

const KIND = { group: "cert-manager.io", version: "v1", plural: "certificaterequests" };
/** Of a control plane that runs elsewhere with a kubeconfig whose context names none; Kuma's. */
const SYSTEM_NAMESPACE = "kuma-system";

/**
 * Loads the client of Kubernetes, so that only meshes with such an authority pay for it: 80 MB, half a second. It finds
 * the API server as kubectl does: KUBECONFIG, ~/.kube/config, the service account of the pod.
 */
export async function loadKubernetes(): Promise<RequestApi> {
  const loaded = await import("@kubernetes/client-node");
  const until = limiter(loaded);
  const config = new loaded.KubeConfig();
  config.loadFromDefault();
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? SYSTEM_NAMESPACE;
  const objects = config.makeApiClient(loaded.CustomObjectsApi);
  const where = { ...KIND, namespace };
  return {
    namespace,
    list: (signal) =>
      asked("to list CertificateRequests", async () => {
        await objects.listNamespacedCustomObject({ ...where, limit: 1 }, until(signal));
      }),
    create: (body, signal) =>
      asked("to create a CertificateRequest", () =>
        objects.createNamespacedCustomObject({ ...where, body }, until(signal)),
      ),
    read: (name, signal) =>
      asked("to read a CertificateRequest", () => objects.getNamespacedCustomObject({ ...where, name }, until(signal))),
    remove: (name, signal) =>
      asked("to delete a CertificateRequest", async () => {
        await objects.deleteNamespacedCustomObject({ ...where, name }, until(signal));
      }),
    follow: ({ name, version }, onObject, signal) => {
      const path = `/apis/${KIND.group}/${KIND.version}/namespaces/${namespace}/${KIND.plural}`;
      const query = { fieldSelector: `metadata.name=${name}`, resourceVersion: version };
      return asked("to watch a CertificateRequest", () =>
        watchOne(new loaded.Watch(config), { path, query }, onObject, signal),
      );
    },
  };
}

async function watchOne(
  watch: sdk.Watch,
  { path, query }: { readonly path: string; readonly query: Record<string, string> },
  onObject: (object: unknown) => "over" | "goes on",
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onEvent = (type: string, object: unknown): void => {
    // An error ends the watch; whoever follows looks at the object and follows anew.
    if (type === "ERROR" || type === "DELETED" || onObject(object) === "over") resolve();
  };
  const onDone = (error: unknown): void => (error === null || error === undefined ? resolve() : reject(error));
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const starting = watch.watch(path, query, onEvent, onDone);
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    void starting.then((controller) => controller.abort());
  }
}

/** Options of a request that ends with a signal; the client has no other place for it. */
function limiter({ Observable }: typeof sdk): (signal: AbortSignal) => sdk.ConfigurationOptions {
  return (signal) => ({
    middleware: [
      {
        pre: (context: sdk.RequestContext) => {
          context.setSignal(signal);
          return new Observable(Promise.resolve(context));
        },
        post: (response: sdk.ResponseContext) => new Observable(Promise.resolve(response)),
      },
    ],
    middlewareMergeStrategy: "append",
  });
}

async function asked<T>(what: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    throw kubernetesFailure(cause, what);
  }
}

const apiErrorSchema = z.object({ code: z.number().optional(), statusCode: z.number().optional(), body: z.unknown() });

/** What a failed request to the API server means. */
export function kubernetesFailure(cause: unknown, what: string): AuthorityFailure {
  if (cause instanceof AuthorityFailure) return cause;
  const { data } = apiErrorSchema.safeParse(cause);
  const code = data?.code ?? data?.statusCode;
  const told = `${code === undefined ? "" : `status ${code}: `}${saidIn(data?.body) ?? reasonOf(cause)}`.slice(0, 500);
  const failure = (kind: FailureKind, verb: string): AuthorityFailure =>
    new AuthorityFailure(kind, `${verb} ${what}: ${told}`, { cause });
  if (code === undefined) return failure("unavailable", "Cannot reach Kubernetes");
  if (code === 401 || code === 403) return failure("denied", "Kubernetes denies");
  // Without cert-manager its kinds are not found.
  if (code === 404 || code === 429 || code >= 500) return failure("unavailable", "Kubernetes cannot serve");
  return failure("refused", "Kubernetes refuses");
}

function saidIn(body: unknown): string | undefined {
  if (typeof body !== "string") return (body as { message?: string } | null)?.message;
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? reasonOf(cause.cause) : cause.message || cause.name;
}
