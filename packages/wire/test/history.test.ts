import assert from 'node:assert/strict';
import test from 'node:test';
import { releasedRecord } from '@ringfence/testkit';
import avro from 'avsc';
import { decode, fingerprint, knowsSchema } from '../src/avro/codec.ts';
import { type ReleasedSchema, releasedSchemas } from '../src/avro/history.ts';
import { portableSchema, type RecordName, recordNames, typeOf } from '../src/avro/schemas.ts';
import { EventView } from '../src/batch/event-batch.ts';
import { RawBatchReader } from '../src/batch/raw-batch.ts';

const RUNS = 60;
const released = releasedSchemas();

/** A record as that version wrote it. */
function written(type: avro.Type, value: unknown): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 1]), fingerprint(JSON.stringify(type.schema())), type.toBuffer(value)]);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * `today` without the union branches and enum symbols that come after those of `then`. A reader of that version can't know them; so whoever reads a record
 * is upgraded before whoever writes it, and new ones are added at the end: then what both know has the same bytes.
 */
function withoutNewer(today: Json, then: Json): Json {
  if (Array.isArray(today) && Array.isArray(then))
    return today.slice(0, then.length).map((branch, i) => withoutNewer(branch, then[i] as Json));
  if (!isObject(today) || !isObject(then)) return today;
  return Object.fromEntries(
    Object.entries(today).map(([key, value]) => {
      const other = then[key];
      if (other === undefined) return [key, value];
      if (key === 'symbols') return [key, (value as Json[]).slice(0, (other as Json[]).length)];
      if (key !== 'fields') return [key, withoutNewer(value, other)];
      const fields = other as readonly { name: string }[];
      const same = (field: Json): Json =>
        (fields.find(({ name }) => name === (field as { name: string }).name) ?? null) as Json;
      return [key, (value as Json[]).map((field) => withoutNewer(field, same(field)))];
    }),
  );
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const portable = (type: avro.Type): Json => JSON.parse(JSON.stringify(type.schema({ exportAttrs: true }))) as Json;

/** The type of `name` today, as far as that version knows it. */
function knownThen({ name, type }: ReleasedSchema): avro.Type {
  const schema = withoutNewer(JSON.parse(portableSchema(name)) as Json, portable(type));
  return avro.Type.forSchema(schema as avro.Schema, { wrapUnions: 'auto' });
}

test('there is a released version, and it has the records that travel', () => {
  assert.ok(released.length >= 9);
  for (const { version, name } of released) assert.ok(recordNames.includes(name), `${version}: ${name}`);
});

for (const one of released) {
  const { version, name, type } = one;

  test(`${name} as ${version} wrote it is read by us, whoever said its schema`, () => {
    assert.ok(knowsSchema(fingerprint(JSON.stringify(type.schema())).toString('hex')));
    for (let run = 0; run < RUNS; run++) {
      const value = type.random() as object;
      const ours = decode(name, written(type, value)) as object;
      const known = Object.keys(value).filter((field) => field in ours);
      assert.ok(known.length > 0);
      // what both have is the same; what only we have is there with its default
      for (const field of known) sameValue(value, ours, field, type);
      assert.ok(typeOf(name).isValid(ours));
    }
  });

  test(`${name} as we write it is read by ${version}, but for what that version has no name for`, () => {
    const narrowed = knownThen(one);
    const resolver = type.createResolver(narrowed);
    for (let run = 0; run < RUNS; run++) {
      // Cut down, it has the bytes that we write: what is newer stands behind.
      const bytes = narrowed.toBuffer(narrowed.random());
      const ours = typeOf(name).fromBuffer(bytes) as never;
      assert.deepEqual(typeOf(name).toBuffer(ours), bytes);
      assert.ok(type.isValid(type.fromBuffer(bytes, resolver)));
    }
  });
}

/** Compared as that version encodes them: ours may hold more inside. */
function sameValue(then: object, now: object, field: string, type: avro.Type): void {
  const fieldType = (type as avro.types.RecordType).field(field).type;
  const [a, b] = [then, now].map((value) => (value as Record<string, unknown>)[field]);
  assert.deepEqual(fieldType.toBuffer(b), fieldType.toBuffer(a), field);
}

const find = (name: RecordName): ReleasedSchema[] => released.filter((one) => one.name === name);

test('a RawBatch of a released version is walked in place like one of ours', () => {
  const reader = new RawBatchReader();
  for (const { version, type } of find('RawBatch')) {
    for (let run = 0; run < RUNS; run++) {
      const value = type.random() as unknown as {
        events: { sequence: number; execId: number }[];
        keyId: string;
        hostId: string;
      };
      reader.open(written(type, value));
      assert.equal(reader.head.hostId, value.hostId);
      for (const event of value.events) {
        assert.ok(reader.next(), version);
        assert.deepEqual([reader.cursor.sequence, reader.cursor.execId], [event.sequence, event.execId]);
      }
      assert.equal(reader.next(), false);
      assert.equal(reader.keyId(), value.keyId);
    }
  }
});

test('an EventBatch of a released version is walked in place like one of ours', () => {
  const view = new EventView();
  for (const { version, type } of find('EventBatch')) {
    for (let run = 0; run < RUNS; run++) {
      const value = type.random() as unknown as {
        events: { event: { sequence: number }; writtenAgo: number }[];
        wallOffset: number;
      };
      view.open(written(type, value));
      assert.equal(view.head.wallOffset, value.wallOffset);
      for (const { event, writtenAgo } of value.events) {
        assert.ok(view.next(), version);
        assert.deepEqual([view.cursor.sequence, view.writtenAgo], [event.sequence, writtenAgo]);
      }
      assert.equal(view.next(), false);
    }
  }
});

test('records that 0.1.0 wrote can be read', () => {
  const incident = decode('Incident', releasedRecord('incident'));
  assert.deepEqual(incident.hosts, ['host-2', 'host-1']);
  assert.equal(incident.story.length, 3);
  const join = decode('Join', releasedRecord('join'));
  assert.equal(join.chain?.id, join.from.chainId);
  assert.match(join.why, /was seen from both ends$/);
});

test('the released schemas never change', () => {
  // A change of a released file would make stored records unreadable: their fingerprints are those of the release.
  assert.deepEqual(
    released.map(
      ({ version, name, type }) => `${version} ${name} ${fingerprint(JSON.stringify(type.schema())).toString('hex')}`,
    ),
    [
      '0.1.0 Event 6893c2eac7438ef4',
      '0.1.0 RawBatch 2d287be24b2a18fe',
      '0.1.0 EventBatch e945f0ce09a53f20',
      '0.1.0 Alert 8f44f5d479f727f9',
      '0.1.0 Incident 29ead5013fcc4d7c',
      '0.1.0 Command 3eca8b6c156bf0ac',
      '0.1.0 Result 76bfe8db4e012b3d',
      '0.1.0 AuditRecord f4e8905f97f4e3eb',
      '0.1.0 DeadLetter 2cb5f681f86b1cf8',
      '0.1.0-2026-11-30 Event a0257f7859eb71fb',
      '0.1.0-2026-11-30 RawBatch c21fd9d57372d2aa',
      '0.1.0-2026-11-30 EventBatch 475e600cdb7a4e5c',
      '0.1.0-2026-11-30 Alert 403d77cffff8873e',
      '0.1.0-2026-11-30 Incident 83ebaa01a3121e49',
      '0.1.0-2026-11-30 Command 3eca8b6c156bf0ac',
      '0.1.0-2026-11-30 Result 50b4b43bf2812462',
      '0.1.0-2026-11-30 AuditRecord 742d54022b8c2094',
      '0.1.0-2026-11-30 DeadLetter 2cb5f681f86b1cf8',
      '0.1.0-2026-11-30 Edge e98178d12bf143f5',
      '0.1.0-2026-11-30 Join 8d4edfbe3fcef9e8',
      '0.1.0-2026-11-30 InterestRecord 12d291ba0ee25390',
      '0.1.0-2026-11-30 Enrolment a4aed83843e75079',
      '0.1.0-2026-11-30 AuditHead 71e337aa430e2322',
      '0.1.0-2026-11-30 Feedback f38be6dd32109696',
      '0.1.0-2026-11-30 RuleCounts 01690afd5615e5cd',
    ],
  );
});
