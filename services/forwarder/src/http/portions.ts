import type { Item } from '../sink.ts';

/** Items of one request, with what is sent for each. */
export interface Portion {
  readonly items: readonly Item[];
  readonly texts: readonly string[];
}

/** Divides a batch so that the texts of a request have at most `maxBytes`; a longer text is sent alone. */
export function* portionsOf(
  items: readonly Item[],
  encode: (item: Item) => string,
  maxBytes: number,
): Generator<Portion, undefined, undefined> {
  let portion: { items: Item[]; texts: string[] } = { items: [], texts: [] };
  let bytes = 0;
  for (const item of items) {
    const text = encode(item);
    const size = Buffer.byteLength(text);
    if (portion.items.length > 0 && bytes + size > maxBytes) {
      yield portion;
      portion = { items: [], texts: [] };
      bytes = 0;
    }
    portion.items.push(item);
    portion.texts.push(text);
    bytes += size;
  }
  if (portion.items.length > 0) yield portion;
  return undefined;
}
