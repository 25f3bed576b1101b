/**
 * Splits a command line into words. Quotes, double or single, hold words together, as in a shell; no other character is
 * special. Returns undefined when a quote is not closed.
 */
export function splitCommandLine(line: string): string[] | undefined {
  const words: string[] = [];
  for (const word of line.match(/(?:[^\s"']|"[^"]*"|'[^']*'|["'])+/g) ?? []) {
    const parts = word.match(/"[^"]*"|'[^']*'|[^"']+|["']/g) ?? [];
    if (parts.some((part) => part === '"' || part === "'")) return undefined;
    words.push(parts.map((part) => (/^["']/.test(part) ? part.slice(1, -1) : part)).join(''));
  }
  return words;
}
