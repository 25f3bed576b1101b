import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import type { Bus, Consumer, InRecord, OutRecord } from '@ringfence/bus';
import { registryMissing, sharedRegistry } from '@ringfence/dev-servers';
import { collidingSchema, createSyntheticHost, createTestAlert } from '@ringfence/synthetic';
import {
  createSigningKey,
  deadLetter,
  decode,
  encode,
  fingerprint,
  isKnownSchema,
  publishSchema,
  type RecordName,
  type ReleasedSchema,
  releasedSchemas,
  SchemaError,
  type SigningKey,
  typeOf,
} from '@ringfence/wire';
import { RegistryClient, type RegistryOptions } from '../../src/registry/client.ts';
import { subjectOf } from '../../src/registry/registry-source.ts';
import { type SchemaBus, type SchemaBusOptions, withSchemas } from '../../src/registry/schema-bus.ts';
import { book, hostileServer, newerSchema, publisher, SCHEMAS, schemaOf, wireWith } from './registry.ts';

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

const NO_STATS = {
  schemasFound: 0,
  schemasUnknown: 0,
  schemaLookFailures: 0,
  schemasRefused: 0,
  schemasConflicting: 0,
};

/** Returns a record of the topic of schemas, as the owner of `key` publishes it. Without a key it is unsigned. */
function published(name: string, schema: string, key: SigningKey | null = publisher): OutRecord {
  return { topic: SCHEMAS, key: `${name}/${book.identify(schema).fingerprint}`, value: publishSchema(schema, key) };
}

/** Returns a newer schema of Alert with its priorities in the opposite order, and the fingerprint of `newer`. */
function reversedAlert(newer: string): string {
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
    const host = createSyntheticHost();
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
    await bus.produce([{ topic: RAW, key: 'h', value: createSyntheticHost().batch() }]);
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

  test('a schema registered after the start is known by its id, once its service has published it', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry });
    const schema = newerSchema('Alert');
    await wire.produce([published('Alert', schema)]);
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
    const value = createSyntheticHost().batch();
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

  test('a registry teaches nothing that no service has signed: its records are handed out as they came', async (t) => {
    const newer = newerSchema('Alert');
    const forged = reversedAlert(newer);
    let answer = newerSchema('Alert', 'evil');
    const url = await hostileServer(t, (request, response) => {
      const isList = request.url?.endsWith('/versions') === true;
      response.end(isList ? '[1]' : JSON.stringify({ id: 7, schema: answer }));
    });
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { registry: { url }, writes: [] });
    const value = Buffer.concat([Buffer.from('0000000007', 'hex'), encode('Alert', alert).subarray(10)]);
    await wire.produce([{ topic: ALERTS, key: 'h', value }]);
    const [record] = await all(bus, ALERTS);
    assert.deepEqual(Buffer.from(record?.value ?? []), value);
    assert.equal(isKnownSchema(published('Alert', answer).key.split('/')[1] ?? ''), false);
    assert.deepEqual(bus.schemaStats(), { ...NO_STATS, schemasUnknown: 1, schemasRefused: 1 });

    // The made-up schema has the fingerprint of one that a service has signed.
    answer = forged;
    await wire.produce([published('Alert', newer)]);
    const other = await open(wire, { registry: { url }, writes: [] });
    assert.equal(other.schemaStats().schemasConflicting, 1);
    const { bytes } = newerRecord('Alert', newer, alert);
    assert.equal(decode('Alert', bytes).priority, alert.priority);
  });

  test('a registry is asked after the released schemas are known: it can not take the place of one', async (t) => {
    const wanted = releasedSchemas().findLast(({ name }) => name === 'Alert') as ReleasedSchema;
    const print = fingerprint(JSON.stringify(wanted.type.schema())).toString('hex');
    const canonical = typeOf('Alert').schema() as { fields: readonly object[] };
    const forged = collidingSchema(print, (name) =>
      JSON.stringify({ ...canonical, fields: [...canonical.fields, { name, type: 'long' }] }),
    );
    const url = await hostileServer(t, (request, response) => {
      const isList = request.url?.endsWith('/versions') === true;
      response.end(isList ? '[1]' : JSON.stringify({ id: 7, schema: forged }));
    });
    const bus = await open(await wireWith(t, ALERTS), { registry: { url }, writes: [] });
    assert.equal(bus.schemaStats().schemasConflicting, 1);
    const value = wanted.type.random() as unknown as { readonly id: string };
    const head = Buffer.concat([Buffer.from([0xc3, 1]), Buffer.from(print, 'hex')]);
    assert.equal(decode('Alert', Buffer.concat([head, wanted.type.toBuffer(value)])).id, value.id);
  });

  test('an aborted wait gives no schema up: the next poll finds it', async (t) => {
    const wire = await wireWith(t, ALERTS);
    const bus = await open(wire, { waitMs: 60_000 });
    const schema = newerSchema('Alert');
    const { bytes } = newerRecord('Alert', schema, alert);
    await wire.produce([{ topic: ALERTS, key: 'h', value: bytes }]);
    const stop = new AbortController();
    const first = await bus.consumer({ group: 'g', topics: [ALERTS] });
    const polled = first.poll(stop.signal);
    setTimeout(() => stop.abort(), 200);
    assert.deepEqual(await polled, []);
    await first.close();
    await wire.produce([published('Alert', schema)]);
    const [record] = await (await consumerOf(t, bus, ALERTS)).poll();
    assert.equal(decode('Alert', record?.value ?? Buffer.alloc(0)).id, alert.id);
    assert.deepEqual(bus.schemaStats(), { ...NO_STATS, schemasFound: 1 });
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
