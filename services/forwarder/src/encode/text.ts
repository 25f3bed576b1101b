/** Returns text as one line without control, format and bidirectional characters, cut at `max` characters. */
export function lineOf(text: string, max: number): string {
  // Cut first: a hostile text can have a megabyte.
  const line = text
    .slice(0, max * 4)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\p{Cf}+/gu, '')
    .trim();
  const isWhole = line.length <= max && text.length <= max * 4;
  return (isWhole ? line : `${line.slice(0, max - 1)}…`).toWellFormed();
}
