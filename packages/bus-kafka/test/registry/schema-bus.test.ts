import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import type { Bus, Consumer, InRecord } from '@ringfence/bus';
import { createTestAlert, createTestHost } from '@ringfence/testkit';
import { registryMissing, sharedRegistry } from '@ringfence/testkit/servers';
import { deadLetter, decode, encode, fingerprint, frame, type RecordName, SchemaError, typeOf } from '@ringfence/wire';
import { RegistryClient, type RegistryOptions } from '../../src/registry/client.ts';
import { subjectOf } from '../../src/registry/registry-source.ts';
import { type SchemaBus, type SchemaBusOptions, withSchemas } from '../../src/registry/schema-bus.ts';
import { book, hostileServer, newerSchema, SCHEMAS, schemaOf, wireWith } from './registry.ts';

const ALERTS = 'ringfence.alerts';
const RAW = 'ringfence.raw';
const LINES = 'logs-raw';

const open = (wire: Bus, options: Partial<SchemaBusOptions> = {}): Promise<SchemaBus> =>
  withSchemas(wire, {
    book,
    topic: SCHEMAS,
    reads: ['Alert', 'RawBatch'],
    writes: ['Alert', 'RawBatch'],
    plain: [LINES],
    waitMs: 300,
    ...options,
  });

async function all(bus: Bus, topic: string): Promise<InRecord[]> {
  return Array.fromAsync(bus.read({ topic }));
}

async function consumerOf(t: TestContext, bus: Bus, ...topics: string[]): Promise<Consumer> {
  const consumer = await bus.consumer({ group: 'g', topics });
  t.after(() => consumer.close());
  return consumer;
}

const alert = createTestAlert(1);

/** Returns a record of the schema that `newerSchema` has made, with a number in its last field. */
function newerRecord(
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

describe('schemas on a topic', () => {
  test('a process publishes the schemas that it writes once, under their fingerprints', async (t) => {
    const wire = await wireWith(t, ALERTS);
    await open(wire);
    await open(wire);
    const published = await all(wire, SCHEMAS);
    assert.deepEqual(published.map(({ key }) => key).sort(), [
      `Alert/${schemaOf('Alert').fingerprint}`,
      `RawBatch/${schemaOf('RawBatch').fingerprint}`,
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
    const { bytes, print } = newerRecord('Alert', schema, alert);
    await wire.produce([{ topic: SCHEMAS, key: `Alert/${print}`, value: Buffer.from(schema) }]);
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

  test('an unreadable version is an error at the start for the readers of the record, and for no other process', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const schema = JSON.stringify({
      type: 'record',
      name: 'Alert',
      namespace: 'ringfence',
      fields: [{ name: 'other', type: 'int' }],
    });
    await wire.produce([{ topic: SCHEMAS, key: 'Alert/0011223344556677', value: Buffer.from(schema) }]);
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
    const published = (await all(wire, SCHEMAS)).filter(({ key }) => key === `Alert/${print}`);
    assert.equal(Buffer.from(published.at(-1)?.value ?? []).toString(), schemaOf('Alert').schema);
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
    assert.deepEqual(bus.schemaStats(), { schemasFound: 0, schemasUnknown: 0, schemaLookFailures: 0 });
  });
});

function letterOf(record: InRecord): { readonly original: Uint8Array } {
  return decode('DeadLetter', deadLetter(record, new Error('no'), 'test').value);
}

describe('schemas in a registry', { skip: registryMissing() ?? false }, () => {
  let registry: RegistryOptions;
  before(async () => {
    registry = { url: (await sharedRegistry()).url };
  });

  test('records have Confluent’s frame on the wire and are restored byte for byte, so that signatures stay valid', async (t) => {
    const wire = await wireWith(t, RAW);
    const bus = await open(wire, { registry });
    const host = createTestHost();
    host.tick();
    const value = host.batch();
    await bus.produce([{ topic: RAW, key: host.hostId, value }]);
    const [onWire] = (await all(wire, RAW)) as [InRecord];
    const id = await new RegistryClient(registry).lookup(subjectOf('RawBatch'), schemaOf('RawBatch').schema);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(id ?? 0, 1);
    assert.deepEqual(Buffer.from(onWire.value ?? []), Buffer.concat([head, value.subarray(10)]));
    const consumer = await consumerOf(t, bus, RAW);
    const [record] = (await consumer.poll()) as [InRecord];
    assert.deepEqual(Buffer.from(record.value ?? []), value);
    assert.deepEqual(Buffer.from(letterOf(record).original), Buffer.from(onWire.value ?? []));
  });

  test('the outputs of a commit have the same frame', async (t) => {
    const wire = await wireWith(t, RAW, ALERTS);
    const bus = await open(wire, { registry });
    await bus.produce([{ topic: RAW, key: 'h', value: createTestHost().batch() }]);
    const consumer = await consumerOf(t, bus, RAW);
    const records = await consumer.poll();
    await consumer.commit(records, {
      outputs: [{ topic: ALERTS, key: 'h', value: encode('Alert', alert) }],
      state: [],
    });
    const [written] = await all(wire, ALERTS);
    assert.equal(written?.value?.[0], 0);
    const [read] = await all(bus, ALERTS);
    assert.deepEqual(Buffer.from(read?.value ?? []), encode('Alert', alert));
  });

  test('a schema registered after the start is fetched by its id', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry });
    const schema = newerSchema('Alert');
    const id = await new RegistryClient(registry).register(subjectOf('Alert'), schema);
    const { bytes } = newerRecord('Alert', schema, alert);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(id, 1);
    await wire.produce([{ topic: ALERTS, key: 'h', value: Buffer.concat([head, bytes.subarray(10)]) }]);
    const [record] = await all(bus, ALERTS);
    assert.deepEqual(Buffer.from(record?.value ?? []), bytes);
    assert.equal(decode('Alert', bytes).id, alert.id);
  });

  test('a record with an unknown or impossible id is handed out unchanged', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry });
    const values = ['0000fffffe01', '00ffffffff01'].map((hex) => Buffer.from(hex, 'hex'));
    await wire.produce(values.map((value) => ({ topic: ALERTS, key: 'h', value })));
    const read = await all(bus, ALERTS);
    assert.deepEqual(
      read.map(({ value }) => Buffer.from(value ?? [])),
      values,
    );
    assert.equal(bus.schemaStats().schemasUnknown, 2);
  });

  test('single objects of an agent without a registry are read too', async (t) => {
    const wire = await wireWith(t, RAW);
    const bus = await open(wire, { registry });
    const value = createTestHost().batch();
    await wire.produce([{ topic: RAW, key: 'h', value }]);
    const [record] = await all(bus, RAW);
    assert.deepEqual(Buffer.from(record?.value ?? []), value);
  });

  test('a schema that is incompatible with the registered ones is an error at the start', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const client = new RegistryClient(registry);
    const subject = `Test${Date.now()}`;
    const make = (...fields: string[]): string =>
      JSON.stringify({
        type: 'record',
        name: subject,
        namespace: 'ringfence',
        fields: fields.map((name) => ({ name, type: 'int' })),
      });
    await client.register(subjectOf(subject), make('a'));
    assert.equal(await client.compatible(subjectOf(subject), make('a', 'b')), false);
    await client.setCompatibility(subjectOf(subject), 'BACKWARD_TRANSITIVE');
    const outdated = {
      ...book,
      currentSchemas: () => [{ name: subject, fingerprint: '0'.repeat(16), schema: make('a', 'b') }],
    };
    await assert.rejects(open(wire, { registry, book: outdated, reads: [], writes: [subject] }), {
      code: 'ERR_SCHEMA_INCOMPATIBLE',
      message: /older version/,
    });
  });
});

describe('a registry that is away or wrong', () => {
  test('a start waits for it, and logs that', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const stop = new AbortController();
    const lines: string[] = [];
    const log = {
      info: () => {},
      error: () => {},
      warn: (_: object, line: string) => lines.push(line) && stop.abort(),
    };
    await assert.rejects(
      open(wire, { registry: { url: 'http://127.0.0.1:1', attempts: 1 }, signal: stop.signal, log: log as never }),
      { name: 'AbortError' },
    );
    assert.deepEqual(lines, ['waiting for the schema registry']);
  });

  test('records wait while it is away, and are handed out when it is back', async (t) => {
    let away = true;
    const url = await hostileServer(t, (_, response) => {
      response.statusCode = away ? 503 : 200;
      response.end(JSON.stringify({ schema: schemaOf('Alert').schema }));
    });
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry: { url, attempts: 1 }, reads: [], writes: [] });
    const value = encode('Alert', alert);
    await wire.produce([
      { topic: ALERTS, key: 'h', value: Buffer.concat([Buffer.from('0000000007', 'hex'), value.subarray(10)]) },
    ]);
    const polled = (await consumerOf(t, bus, ALERTS)).poll();
    while (bus.schemaStats().schemaLookFailures < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    away = false;
    const [record] = await polled;
    assert.deepEqual(Buffer.from(record?.value ?? []), value);
  });

  test('a wrong schema for an id invalidates the signature of the record', async (t) => {
    const url = await hostileServer(t, (_, response) =>
      response.end(JSON.stringify({ schema: newerSchema('RawBatch', 'evil') })),
    );
    const wire = await wireWith(t, RAW);
    const bus = await open(wire, { registry: { url }, reads: [], writes: [] });
    const value = createTestHost().batch();
    await wire.produce([
      { topic: RAW, key: 'h', value: Buffer.concat([Buffer.from('0000000007', 'hex'), value.subarray(10)]) },
    ]);
    const [record] = (await all(bus, RAW)) as [InRecord];
    // The signature covers the fingerprint, so it is invalid with another one.
    assert.notDeepEqual(Buffer.from(record.value ?? []).subarray(0, 10), frame('RawBatch'));
    assert.deepEqual(Buffer.from(record.value ?? []).subarray(10), value.subarray(10));
  });

  test('an aborted wait gives no schema up: the next poll finds it', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { waitMs: 60_000 });
    const schema = newerSchema('Alert');
    const { bytes, print } = newerRecord('Alert', schema, alert);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const stop = new AbortController();
    const first = await bus.consumer({ group: 'g', topics: [ALERTS] });
    const polled = first.poll(stop.signal);
    setTimeout(() => stop.abort(), 200);
    assert.deepEqual(await polled, []);
    await first.close();
    await wire.produce([{ topic: SCHEMAS, key: `Alert/${print}`, value: Buffer.from(schema) }]);
    const [record] = await (await consumerOf(t, bus, ALERTS)).poll();
    assert.equal(decode('Alert', record?.value ?? Buffer.alloc(0)).id, alert.id);
    assert.deepEqual(bus.schemaStats(), { schemasFound: 1, schemasUnknown: 0, schemaLookFailures: 0 });
  });

  test('closing a consumer ends its wait for a schema', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry: { url: 'http://127.0.0.1:1', attempts: 1 }, reads: [], writes: [] });
    const consumer = await consumerOf(t, bus, ALERTS);
    await wire.produce([{ topic: ALERTS, key: 'h', value: Buffer.from('000000000700', 'hex') }]);
    const polled = consumer.poll();
    while (bus.schemaStats().schemaLookFailures < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    await consumer.close();
    assert.deepEqual(await polled, []);
  });
});
