import { StoreError } from "@heddle/model/store.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { ok, type Route } from "../http/route.ts";
import type { EncryptionPort, EncryptionReport } from "../ports.ts";

const PATH = "/encryption-key";
const ANSWER = "{keyId, use, place}: which key protects the store; never the key";

/** What protects the store, and rotating it. */
export function encryptionKeyRoutes({ ports, settings }: Context): readonly Route[] {
  return [
    {
      method: "GET",
      path: PATH,
      title: "Could not look up the encryption key",
      needs: "rotateEncryptionKey",
      doc: { summary: "Which key protects the store", tag: "Control plane", answer: ANSWER },
      handle: () => ok(required(ports.encryption).report()),
    },
    {
      method: "POST",
      path: `${PATH}/rotate`,
      title: "Could not rotate the encryption key",
      needs: "rotateEncryptionKey",
      doc: {
        summary: "Read the keys anew and encrypt the store anew: a line at each step, the last with done",
        tag: "Control plane",
        answer: "{keyId, use, place, rows: {done, total}, done}",
        answerType: "application/x-ndjson",
      },
      handle: async () => {
        if (settings.readOnly) throw new ApiError(405, "Cannot write here: apiServer.readOnly is true");
        return { status: 200, lines: await begun(required(ports.encryption).rotate()) };
      },
    },
  ];
}

function required(encryption: EncryptionPort | undefined): EncryptionPort {
  if (encryption !== undefined) return encryption;
  throw new ApiError(400, "Cannot tell of an encryption key: this control plane keeps its store in memory");
}

/** Waits for the first step, so that a key which cannot be read is a refusal and not a broken answer. */
async function begun(steps: AsyncIterable<EncryptionReport>): Promise<AsyncIterable<EncryptionReport>> {
  const iterator = steps[Symbol.asyncIterator]();
  const first = await iterator.next().catch((cause: unknown) => {
    const status = cause instanceof StoreError && cause.code === "conflict" ? 409 : 503;
    throw new ApiError(status, cause instanceof Error ? cause.message : String(cause));
  });
  return goOn(first, iterator);
}

async function* goOn(
  first: IteratorResult<EncryptionReport>,
  rest: AsyncIterator<EncryptionReport>,
): AsyncGenerator<EncryptionReport> {
  for (let step = first; step.done !== true; step = await rest.next()) yield step.value;
}
