import type { TestContext } from 'node:test';
import type { Bus, Consumer, InRecord, OutRecord } from '@ringfence/bus';
import { collidingSchema, createTestAlert } from '@ringfence/synthetic';
import {
  type Alert,
  deadLetter,
  decode,
  fingerprint,
  publishSchema,
  type RecordName,
  type SigningKey,
  typeOf,
} from '@ringfence/wire';
import { type SchemaBus, type SchemaBusOptions, withSchemas } from '../../src/registry/schema-bus.ts';
import type { SchemaStats } from '../../src/registry/unknown.ts';
import { book, publisher, SCHEMAS } from './registry.ts';

export const ALERTS = 'ringfence.alerts';
export const RAW = 'ringfence.raw';
export const LINES = 'logs-raw';

export const open = (wire: Bus, options: Partial<SchemaBusOptions> = {}): Promise<SchemaBus> =>
  withSchemas(wire, {
    book,
    topic: SCHEMAS,
    reads: ['Alert', 'RawBatch'],
    writes: ['Alert', 'RawBatch'],
    plain: [LINES],
    waitMs: 300,
    ...options,
  });

export async function all(bus: Bus, topic: string): Promise<InRecord[]> {
  return Array.fromAsync(bus.read({ topic }));
}

export async function consumerOf(t: TestContext, bus: Bus, ...topics: string[]): Promise<Consumer> {
  const consumer = await bus.consumer({ group: 'g', topics });
  t.after(() => consumer.close());
  return consumer;
}

export const alert: Alert = createTestAlert(1);

/** Returns a record of the schema that `newerSchema` has made, with a number in its last field. */
export function newerRecord(
  name: RecordName,
  schema: string,
  value: object,
): { readonly bytes: Buffer; readonly print: string } {
  const { fields } = JSON.parse(schema) as { fields: readonly { name: string }[] };
  const canonical = typeOf(name).schema() as { fields: readonly object[] };
  const more = { name: fields.at(-1)?.name, type: 'long' };
  const print = fingerprint(JSON.stringify({ ...canonical, fields: [...canonical.fields, more] }));
  const body = [typeOf(name).toBuffer(value), Buffer.from([10])];
  return { bytes: Buffer.concat([Buffer.from([0xc3, 1]), print, ...body]), print: print.toString('hex') };
}

export const NO_STATS: SchemaStats = {
  schemasFound: 0,
  schemasUnknown: 0,
  schemaLookFailures: 0,
  schemasRefused: 0,
  schemasConflicting: 0,
};

/** Returns a record of the topic of schemas, as the owner of `key` publishes it. Without a key it is unsigned. */
export function published(name: string, schema: string, key: SigningKey | null = publisher): OutRecord {
  return { topic: SCHEMAS, key: `${name}/${book.identify(schema).fingerprint}`, value: publishSchema(schema, key) };
}

/** Returns a newer schema of Alert with its priorities in the opposite order, and the fingerprint of `newer`. */
export function reversedAlert(newer: string): string {
  const canonical = typeOf('Alert').schema() as { fields: readonly { name: string; type: object }[] };
  const fields = canonical.fields.map((field) => {
    const { symbols } = field.type as { symbols?: string[] };
    return field.name === 'priority' ? { ...field, type: { ...field.type, symbols: symbols?.toReversed() } } : field;
  });
  const wanted = published('Alert', newer).key.split('/')[1] ?? '';
  return collidingSchema(wanted, (name) =>
    JSON.stringify({ ...canonical, fields: [...fields, { name, type: 'long' }] }),
  );
}

export function letterOf(record: InRecord): { readonly original: Uint8Array } {
  return decode('DeadLetter', deadLetter(record, new Error('no'), 'test').value);
}
