import { Priorities } from '@ringfence/wire';
import type { Received } from '../support.ts';

/** Reads as falcosidekick does: a known priority, an RFC 3339 time, an output, and fields that are texts or numbers. */
export function accepts({ method, headers, body }: Received): { status: number; body: unknown } {
  const { output, priority, rule, time, output_fields: fields, tags, hostname, source, uuid } = JSON.parse(body);
  const isRight =
    method === 'POST' &&
    headers['content-type'] === 'application/json' &&
    [output, rule, hostname, source, uuid].every((text) => typeof text === 'string' && text !== '') &&
    Priorities.includes(priority.toLowerCase()) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(time) &&
    tags.every((tag: unknown) => typeof tag === 'string') &&
    Object.values(fields).every((value) => typeof value === 'string' || Number.isFinite(value));
  return isRight ? { status: 200, body: '' } : { status: 400, body: 'Please send a valid request body' };
}
