const HOUR = 3_600_000;
const SPARE = 300_000;

/** An interval whose window goes on for minutes: windows begin with the Unix epoch, so the time says which one that is. */
export function longInterval(): string {
  const hours = [24, 23, 22].find((each) => Date.now() % (each * HOUR) < each * HOUR - SPARE);
  return `${hours}h`;
}
