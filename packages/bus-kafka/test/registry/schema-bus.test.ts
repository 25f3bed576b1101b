import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InRecord } from '@ringfence/bus';
import {
  createSigningKey,
  decode,
  encode,
  fingerprint,
  publishSchema,
  type ReleasedSchema,
  releasedSchemas,
  SchemaError,
} from '@ringfence/wire';
import { book, newerSchema, publisher, SCHEMAS, schemaOf, wireWith } from './registry.ts';
import {
  ALERTS,
  alert,
  all,
  consumerOf,
  LINES,
  letterOf,
  NO_STATS,
  newerRecord,
  open,
  published,
  reversedAlert,
} from './schema-support.ts';

describe('schemas on a topic', () => {
  test('a process publishes the schemas that it writes once, under their fingerprints, but those of agents', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const writes = ['Alert', 'Incident', 'RawBatch'];
    await open(wire, { writes });
    await open(wire, { writes });
    const records = await all(wire, SCHEMAS);
    assert.deepEqual(records.map(({ key }) => key).sort(), [
      `Alert/${schemaOf('Alert').fingerprint}`,
      `Incident/${schemaOf('Incident').fingerprint}`,
    ]);
  });

  test('records pass unchanged', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire);
    const value = encode('Alert', alert);
    await bus.produce([{ topic: ALERTS, key: 'h', value }]);
    const [record] = await all(wire, ALERTS);
    assert.deepEqual(Buffer.from(record?.value ?? []), value);
  });

  test('produce passes its deadline to the bus', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire);
    const deadlines: (number | undefined)[] = [];
    wire.produce = async (_, deadlineMs) => void deadlines.push(deadlineMs);
    await bus.produce([], 2000);
    await bus.produce([]);
    assert.deepEqual(deadlines, [2000, undefined]);
  });

  test('a schema published after the start is learnt before its record is handed out', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire);
    const consumer = await consumerOf(t, bus, ALERTS);
    const schema = newerSchema('Alert');
    const { bytes } = newerRecord('Alert', schema, alert);
    await wire.produce([published('Alert', schema)]);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const [record] = await consumer.poll();
    assert.equal(decode('Alert', record?.value ?? Buffer.alloc(0)).id, alert.id);
    assert.equal(bus.schemaStats().schemasFound, 1);
  });

  test('a reader waits for an unpublished schema once; its records are handed out unchanged, and counted', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire);
    const consumer = await consumerOf(t, bus, ALERTS);
    const { bytes } = newerRecord('Alert', newerSchema('Alert'), alert);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.deepEqual(Buffer.from(record.value ?? []), bytes);
    assert.throws(() => decode('Alert', record.value ?? Buffer.alloc(0)), SchemaError);
    assert.equal(bus.schemaStats().schemasUnknown, 1);
    assert.deepEqual(Buffer.from(letterOf(record).original), bytes);
  });

  test('a thousand records with different invalid schemas do not stop the reader', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { waitMs: 200 });
    const consumer = await consumerOf(t, bus, ALERTS);
    const forged = Array.from({ length: 1000 }, (_, i) => {
      const value = Buffer.from(encode('Alert', alert));
      value.writeUInt32LE(i, 2);
      return { topic: ALERTS, key: 'h', value };
    });
    await wire.produce([...forged, { topic: ALERTS, key: 'h', value: encode('Alert', alert) }]);
    let last: InRecord | undefined;
    for (let seen = 0; seen < 1001; ) {
      const records = await consumer.poll();
      seen += records.length;
      last = records.at(-1);
    }
    assert.equal(decode('Alert', last?.value ?? Buffer.alloc(0)).id, alert.id);
    assert.equal(bus.schemaStats().schemasUnknown, 1000);
  });

  test('an unreadable version that a service has signed is an error at the start for the readers of the record, and for no other process', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const schema = JSON.stringify({
      type: 'record',
      name: 'Alert',
      namespace: 'ringfence',
      fields: [{ name: 'other', type: 'int' }],
    });
    await wire.produce([published('Alert', schema)]);
    await assert.rejects(open(wire), {
      code: 'ERR_SCHEMA_INCOMPATIBLE',
      message: /Alert.*newer version.*upgraded before/,
    });
    await open(wire, { reads: ['RawBatch'] });
  });

  test('a schema under a wrong fingerprint is ignored, and the correct one is published', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const { fingerprint: print } = schemaOf('Alert');
    await wire.produce([{ topic: SCHEMAS, key: `Alert/${print}`, value: Buffer.from('{"type":"record"') }]);
    await open(wire);
    const records = (await all(wire, SCHEMAS)).filter(({ key }) => key === `Alert/${print}`);
    assert.deepEqual(Buffer.from(records.at(-1)?.value ?? []), publishSchema(schemaOf('Alert').schema, publisher));
  });

  test('log lines, tombstones and schemas pass unchanged, even if they look like frames', async (t) => {
    const wire = await wireWith(t, LINES, ALERTS);
    const bus = await open(wire);
    const consumer = await consumerOf(t, bus, LINES, ALERTS);
    await bus.produce([
      { topic: LINES, key: 'h', value: Buffer.from([0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]) },
      { topic: LINES, key: 'h', value: Buffer.from([0, 0, 0, 0, 7, 1]) },
      { topic: SCHEMAS, key: 'Alert/00', value: null },
      { topic: ALERTS, key: 'h', value: Buffer.alloc(0) },
    ]);
    const values: (string | null)[] = [];
    while (values.length < 3)
      values.push(...(await consumer.poll()).map(({ value }) => value && Buffer.from(value).toString('hex')));
    assert.deepEqual(values.sort(), ['', '000000000701', 'c301010203040506070809']);
    assert.equal((await all(bus, SCHEMAS)).at(-1)?.value, null);
    assert.deepEqual(bus.schemaStats(), { ...NO_STATS });
  });

  test('a schema that no enrolled service has signed is not learnt, and is counted and logged', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const lines: string[] = [];
    const log = { info: () => {}, warn: () => {}, error: (_: object, line: string) => lines.push(line) };
    const bus = await open(wire, { log: log as never });
    const consumer = await consumerOf(t, bus, ALERTS);
    const schema = newerSchema('Alert');
    const { bytes } = newerRecord('Alert', schema, alert);
    const altered = Buffer.from(publishSchema(schema, publisher));
    altered[altered.indexOf('ringfence.') - 5] = 0x20;
    const impostor = { ...createSigningKey(), keyId: publisher.keyId };
    await wire.produce([
      published('Alert', schema, null),
      published('Alert', schema, createSigningKey()),
      published('Alert', schema, impostor),
      { ...published('Alert', schema), value: altered },
    ]);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.throws(() => decode('Alert', record.value ?? Buffer.alloc(0)), { code: 'ERR_SCHEMA_UNKNOWN' });
    assert.deepEqual(bus.schemaStats(), { ...NO_STATS, schemasUnknown: 1, schemasRefused: 4 });
    assert.match(lines.join(), /no enrolled service has signed/);
  });

  test('a schema that is signed later is learnt after an unsigned one of the same fingerprint', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire);
    const consumer = await consumerOf(t, bus, ALERTS);
    const newer = newerSchema('Alert');
    const { bytes } = newerRecord('Alert', newer, alert);
    const forged = reversedAlert(newer);
    assert.equal(published('Alert', forged).key, published('Alert', newer).key);
    await wire.produce([published('Alert', forged, null), published('Alert', newer)]);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.equal(decode('Alert', record.value ?? Buffer.alloc(0)).priority, alert.priority);
  });

  test('a second schema of a known fingerprint is ignored even if it is signed, counted once and logged', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const lines: string[] = [];
    const log = { info: () => {}, warn: () => {}, error: (_: object, line: string) => lines.push(line) };
    const bus = await open(wire, { log: log as never });
    const consumer = await consumerOf(t, bus, ALERTS);
    const newer = newerSchema('Alert');
    const { bytes } = newerRecord('Alert', newer, alert);
    await wire.produce([published('Alert', newer), published('Alert', reversedAlert(newer))]);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.equal(decode('Alert', record.value ?? Buffer.alloc(0)).priority, alert.priority);
    const other = newerRecord('Alert', newerSchema('Alert'), alert).bytes;
    await wire.produce([{ topic: ALERTS, key: 'h', value: other }]);
    await consumer.poll();
    assert.equal(bus.schemaStats().schemasConflicting, 1);
    assert.match(lines.join(), /second schema with the fingerprint of a known one/);
  });

  test('garbage and unsigned schemas do not keep a service from starting', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const unreadable = JSON.stringify({
      type: 'record',
      name: 'ringfence.Alert',
      fields: [{ name: 'a', type: 'int' }],
    });
    await wire.produce([
      published('Alert', unreadable, null),
      published('Alert', unreadable, createSigningKey()),
      { topic: SCHEMAS, key: 'Alert/0011223344556677', value: Buffer.from('{') },
      { topic: SCHEMAS, key: '', value: Buffer.alloc(0) },
    ]);
    const bus = await open(wire);
    assert.equal(bus.schemaStats().schemasRefused, 4);
  });

  test('the schemas that 0.1.0 published unsigned are known, and signed ones keep their keys for 0.1.0', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const old = releasedSchemas().filter(({ version }) => version.startsWith('0.1.0-'));
    assert.equal(old.length, 16);
    const texts = old.map(({ name, type }) => ({ name, text: JSON.stringify(type.schema({ exportAttrs: true })) }));
    await wire.produce(texts.map(({ name, text }) => published(name, text, null)));
    const bus = await open(wire);
    const consumer = await consumerOf(t, bus, ALERTS);
    const { type } = old.find(({ name }) => name === 'Alert') as ReleasedSchema;
    const value = type.random() as unknown as { readonly id: string };
    const frameBytes = Buffer.concat([Buffer.from([0xc3, 1]), fingerprint(JSON.stringify(type.schema()))]);
    await wire.produce([{ topic: ALERTS, key: 'h', value: Buffer.concat([frameBytes, type.toBuffer(value)]) }]);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.equal(decode('Alert', record.value ?? Buffer.alloc(0)).id, value.id);
    assert.deepEqual(bus.schemaStats(), NO_STATS);
    // 0.1.0 computes the fingerprint from the text, and expects it in the key.
    for (const { key, value: text } of await all(wire, SCHEMAS)) {
      const { name, fingerprint: print } = book.identify(Buffer.from(text ?? []).toString());
      assert.equal(`${name}/${print}`, key);
    }
  });
});
