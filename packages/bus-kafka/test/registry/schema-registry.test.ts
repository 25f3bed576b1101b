import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { InRecord } from '@ringfence/bus';
import { registryMissing, sharedRegistry } from '@ringfence/dev-servers';
import { collidingSchema, createSyntheticHost } from '@ringfence/synthetic';
import {
  decode,
  encode,
  fingerprint,
  isKnownSchema,
  type ReleasedSchema,
  releasedSchemas,
  typeOf,
} from '@ringfence/wire';
import { RegistryClient, type RegistryOptions } from '../../src/registry/client.ts';
import { subjectOf } from '../../src/registry/registry-source.ts';
import { book, hostileServer, newerSchema, schemaOf, wireWith } from './registry.ts';
import {
  ALERTS,
  alert,
  all,
  consumerOf,
  letterOf,
  NO_STATS,
  newerRecord,
  open,
  published,
  RAW,
  reversedAlert,
} from './schema-support.ts';

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
