import { createHmac } from 'node:crypto';
import type { SinkSettings } from '../settings/common.ts';
import { readSecret } from '../settings/values.ts';
import type { Item, ItemRecords } from '../sink.ts';
import { itemOf } from './read-item.ts';

export type Redactor = (item: Item) => Item;

/** Values shorter than this are only replaced where they stand alone: `a` is no secret inside another word. */
const LITERAL_MIN_CHARS = 4;
/** Text beyond this is not searched by patterns, whose time can grow faster than the text: it is cut. */
const TEXT_MAX_CHARS = 65_536;
const DIGEST_CHARS = 12;

/**
 * Returns a function that removes secrets from an item: what a pattern matches, and the values of fields wherever they
 * occur in the record, also inside sentences. With a key, a value becomes a keyed hash of itself, so that equal values
 * stay equal at the far side. The audit trail is not changed.
 */
export function createRedactor({ redact }: Pick<SinkSettings, 'redact'>): Redactor {
  if (redact === undefined) return (item) => item;
  const patterns = redact.patterns.map((pattern) => new RegExp(pattern, 'gu'));
  const mark = markerOf(redact.key);
  return (item) => {
    const values = redact.fields.flatMap((field) => [item.document[field]].flat()).filter(isText);
    const exact = new Set(values);
    const literals = [...exact].filter((value) => value.length >= LITERAL_MIN_CHARS);
    literals.sort((a, b) => b.length - a.length);
    const replace = (text: string): string => {
      if (exact.has(text)) return mark(text);
      let result = text.slice(0, TEXT_MAX_CHARS).toWellFormed();
      for (const literal of literals) result = result.replaceAll(literal, mark);
      for (const pattern of patterns) result = result.replace(pattern, (match) => (match === '' ? '' : mark(match)));
      return result;
    };
    const record = mapTexts(item.record, replace) as ItemRecords[typeof item.kind];
    return itemOf(item.kind, record, { id: item.id, group: item.group, at: item.at });
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function markerOf(key: string | undefined): (value: string) => string {
  if (key === undefined) return () => '[redacted]';
  const secret = readSecret(key);
  return (value) => `[redacted:${createHmac('sha256', secret).update(value).digest('hex').slice(0, DIGEST_CHARS)}]`;
}

/** Ids are not secrets: without them, the far side could not drop doubles or find the incident. */
const KEPT = new Set(['id', 'hostId', 'bootId', 'entityId', 'parentEntityId', 'keyId', 'cause', 'mergedInto']);

function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, replace));
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, KEPT.has(key) ? item : mapTexts(item, replace)]),
  );
}
