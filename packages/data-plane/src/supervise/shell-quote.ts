/** One word of a POSIX shell, whatever is in it. Throws RangeError for a zero byte, which no command line can carry. */
export function shellQuote(word: string): string {
  if (word.includes("\0")) throw new RangeError("Cannot quote for the shell: the text holds a zero byte");
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
