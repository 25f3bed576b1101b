import { type EventView, maskSecrets } from '@ringfence/wire';
import type { Field, FieldValue } from './field.ts';

export type EventDocument = Readonly<Record<string, Exclude<FieldValue, undefined>>>;

/**
 * Returns a flat document: the fields that have a value, by ECS name, and `@timestamp` in ISO 8601. Secrets of
 * Ringfence on command lines are masked.
 */
export function documentOf(event: EventView, fields: readonly Field[], kind: string): EventDocument {
  const document: Record<string, Exclude<FieldValue, undefined>> = { '@timestamp': isoTime(event.timestamp) };
  for (const field of fields) {
    if (field.name === '@timestamp' || field.argument === 'key' || field.dialect !== undefined) continue;
    if (field.kinds !== undefined && !field.kinds.includes(kind)) continue;
    const value = field.constants === undefined ? field.get(event) : (field.constants[kind] ?? field.get(event));
    if (value !== undefined) document[field.name] = masked(value);
  }
  if (event.partial !== '') document['ringfence.enrichment'] = `partial (${event.partial})`;
  return document;
}

function masked(value: Exclude<FieldValue, undefined>): Exclude<FieldValue, undefined> {
  if (typeof value === 'string') return maskSecrets(value);
  return typeof value === 'object' ? value.map(maskSecrets) : value;
}

/** Formats a time in ISO 8601 with µs, UTC. */
export function isoTime(micros: number): string {
  const millis = new Date(Math.floor(micros / 1000)).toISOString();
  return `${millis.slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
}
