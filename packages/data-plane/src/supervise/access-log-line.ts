/** A line of access logs, and where it goes: an address as Envoy knows them. */
export interface AccessLogLine {
  readonly address: string;
  readonly message: Buffer;
}

/** A line of Envoy's in its two parts; undefined when it is none, such as half of one that was cut off. */
export function readAccessLogLine(line: string): AccessLogLine | undefined {
  try {
    const { address, message } = JSON.parse(line) as { readonly address?: unknown; readonly message?: unknown };
    if (typeof address !== "string" || message === undefined || !URL.canParse(`tcp://${address}`)) return undefined;
    const text = typeof message === "string" ? message : `${JSON.stringify(message)}\n`;
    return { address, message: Buffer.from(text) };
  } catch {
    return undefined;
  }
}
