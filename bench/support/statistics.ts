/** The value below which this share (0 to 1) of the others lie; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** "p50 3.1, p99 7.0, max 9.2 ms" of milliseconds. */
export function spread(values: readonly number[]): string {
  return `p50 ${figure(quantile(values, 0.5))}, p99 ${figure(quantile(values, 0.99))}, max ${figure(Math.max(...values))} ms`;
}

/** As many digits as mean something. */
export function figure(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}
