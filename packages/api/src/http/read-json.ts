import { parseJson } from "@heddle/model/json.ts";
import { inspectJsonText } from "./json-text.ts";
import { ApiError } from "./api-error.ts";

/** Reads a JSON body; none when it is empty. Throws ApiError 400 that says where the text stops being JSON, or what in it is refused. */
export function readJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  const trouble = inspectJsonText(text);
  if (trouble !== undefined) throw new ApiError(400, `Cannot read the body as JSON: ${trouble}`);
  try {
    return parseJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiError(400, `Cannot read the body as JSON: ${shortened(reason)}`, { cause });
  }
}

// The parser quotes what it found, which may be a long stretch of the body.
function shortened(reason: string): string {
  return reason.length > 200 ? `${reason.slice(0, 200)}...` : reason;
}
