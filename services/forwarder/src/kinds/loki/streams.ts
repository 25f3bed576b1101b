import { ENCODERS, type Encoding } from '../../encode/json.ts';
import { summaryOf } from '../../encode/summary.ts';
import type { Portion } from '../../http/portions.ts';
import type { Item } from '../../sink.ts';

interface Stream {
  readonly stream: Readonly<Record<string, string>>;
  /** ns since the epoch, line, structured metadata */
  readonly values: [string, string, Readonly<Record<string, string>>][];
}

/** The line of an item. Loki refuses lines over 256 kB, so that a whole incident does not fit: its story does. */
export function lineOf(item: Item, encoding: Encoding): string {
  const { 'ringfence.incident.whole': _, ...document } = ENCODERS[encoding](item);
  return JSON.stringify(document);
}

/** @param at µs since the epoch. @default the time of each item */
export function streamsOf({ items, texts }: Portion, labels: Readonly<Record<string, string>>, at?: number): Stream[] {
  const streams = new Map<string, Stream>();
  for (const [i, item] of items.entries()) {
    const level = summaryOf(item).priority;
    const key = `${item.kind}/${level}`;
    const stream = streams.get(key) ?? { stream: { ...labels, kind: item.kind, level }, values: [] };
    streams.set(key, stream);
    stream.values.push([`${at ?? item.at}000`, texts[i]!, metadataOf(item)]);
  }
  return [...streams.values()];
}

/** What is searched for without reading lines, and has too many values for a label. */
function metadataOf({ id, group, document }: Item): Readonly<Record<string, string>> {
  const host = document['host.id'];
  return { ringfence_id: id, group, ...(host === undefined ? {} : { host_id: String(host) }) };
}
