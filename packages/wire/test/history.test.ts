import assert from 'node:assert/strict';
import test from 'node:test';
import { releasedRecord } from '@ringfence/testkit';
import avro from 'avsc';
import { decode, isKnownSchema } from '../src/avro/codec.ts';
import { fingerprint } from '../src/avro/fingerprint.ts';
import { type ReleasedSchema, releasedSchemas } from '../src/avro/history.ts';
import { portableSchema, type RecordName, recordNames, typeOf } from '../src/avro/schemas.ts';
import { EventView } from '../src/batch/event-batch.ts';
import { RawBatchReader } from '../src/batch/raw-batch.ts';

const RUNS = 60;
const released = releasedSchemas();

/** Returns a record as a version with this schema wrote it. */
function written(type: avro.Type, value: unknown): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 1]), fingerprint(JSON.stringify(type.schema())), type.toBuffer(value)]);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Returns the current schema without the union branches and enum symbols that were added since the released one. The
 * released version can't read them, so readers are upgraded before writers. They are added at the end, so that the
 * older branches and symbols keep their bytes.
 */
function withoutNewer(current: Json, released: Json): Json {
  if (Array.isArray(current) && Array.isArray(released))
    return current.slice(0, released.length).map((branch, i) => withoutNewer(branch, released[i] as Json));
  if (!isObject(current) || !isObject(released)) return current;
  return Object.fromEntries(
    Object.entries(current).map(([key, value]) => {
      const older = released[key];
      if (older === undefined) return [key, value];
      if (key === 'symbols') return [key, (value as Json[]).slice(0, (older as Json[]).length)];
      if (key !== 'fields') return [key, withoutNewer(value, older)];
      const fields = older as readonly { name: string }[];
      const same = (field: Json): Json =>
        (fields.find(({ name }) => name === (field as { name: string }).name) ?? null) as Json;
      return [key, (value as Json[]).map((field) => withoutNewer(field, same(field)))];
    }),
  );
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const portable = (type: avro.Type): Json => JSON.parse(JSON.stringify(type.schema({ exportAttrs: true }))) as Json;

/** Returns the current type of a record, as far as a released version knows it. */
function commonType({ name, type }: ReleasedSchema): avro.Type {
  const schema = withoutNewer(JSON.parse(portableSchema(name)) as Json, portable(type));
  return avro.Type.forSchema(schema as avro.Schema, { wrapUnions: 'auto' });
}

test('a released version has schemas of known records', () => {
  assert.ok(released.length >= 9);
  for (const { version, name } of released) assert.ok(recordNames.includes(name), `${version}: ${name}`);
});

for (const schema of released) {
  const { version, name, type } = schema;

  test(`${name} of ${version} can be read without its schema`, () => {
    assert.ok(isKnownSchema(fingerprint(JSON.stringify(type.schema())).toString('hex')));
    for (let run = 0; run < RUNS; run++) {
      const value = type.random() as object;
      const decoded = decode(name, written(type, value)) as object;
      const known = Object.keys(value).filter((field) => field in decoded);
      assert.ok(known.length > 0);
      for (const field of known) sameValue(value, decoded, field, type);
      // Newer fields have their defaults.
      assert.ok(typeOf(name).isValid(decoded));
    }
  });

  test(`${version} reads ${name} of this version, except for branches and symbols that it does not know`, () => {
    const narrowed = commonType(schema);
    const resolver = type.createResolver(narrowed);
    for (let run = 0; run < RUNS; run++) {
      // The narrowed type has the same bytes as the current one, because newer branches come last.
      const bytes = narrowed.toBuffer(narrowed.random());
      const value = typeOf(name).fromBuffer(bytes) as never;
      assert.deepEqual(typeOf(name).toBuffer(value), bytes);
      assert.ok(type.isValid(type.fromBuffer(bytes, resolver)));
    }
  });
}

/** Compares a field as the released version encodes it: nested records may have newer fields. */
function sameValue(released: object, decoded: object, field: string, type: avro.Type): void {
  const fieldType = (type as avro.types.RecordType).field(field).type;
  const [a, b] = [released, decoded].map((value) => (value as Record<string, unknown>)[field]);
  assert.deepEqual(fieldType.toBuffer(b), fieldType.toBuffer(a), field);
}

const find = (name: RecordName): ReleasedSchema[] => released.filter((schema) => schema.name === name);

test('RawBatchReader reads batches of released versions', () => {
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

test('EventView reads batches of released versions', () => {
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
  // Stored records name these fingerprints: a change of the files would make the records unreadable.
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
      '0.2.0 Event 96de33db210158cc',
      '0.2.0 RawBatch 27885cb80e9a7139',
      '0.2.0 EventBatch 5845962436a30fad',
      '0.2.0 Alert 403d77cffff8873e',
      '0.2.0 Incident e9a2fc71e497791c',
      '0.2.0 Command 3eca8b6c156bf0ac',
      '0.2.0 Result 45288a1e409853b9',
      '0.2.0 AuditRecord 742d54022b8c2094',
      '0.2.0 DeadLetter 2cb5f681f86b1cf8',
      '0.2.0 Edge e98178d12bf143f5',
      '0.2.0 Join 9896f21e80d68099',
      '0.2.0 InterestRecord 20dcb82b2307e863',
      '0.2.0 Enrolment a4aed83843e75079',
      '0.2.0 Standing 5385a2a71eefc155',
      '0.2.0 AuditHead 71e337aa430e2322',
      '0.2.0 Feedback 9d91e37235980ec7',
      '0.2.0 RuleCounts 01690afd5615e5cd',
      '0.2.0 StateHost bbc92dcf2a269dca',
      '0.2.0 StateChain 177bfc6560148f68',
      '0.2.0 StateChainCounts 69f28eb7654f93d7',
      '0.2.0 StateMemory 90dd172fe974b0e6',
      '0.2.0 StateRuleMemory ee11f0c67c6320ae',
      '0.2.0 StateRuleCounts 7298c41d3de12e41',
      '0.2.0 StateEdge 388101b94704d2ec',
      '0.2.0 StateOrder 229f377e3a50a756',
      '0.2.0 StateKillLimit 604d49a5b5597ebb',
      '0.2.0 StateCommand 7c709fafb5d77fa8',
      '0.2.0 StateBoot febf3e86b3cf87df',
      '0.2.0 StateKnownProcess 81d583a2a2731164',
      '0.2.0 StateKnownContainer 749e67200de7b563',
      '0.2.0 StateUser 7047900ebea2ece7',
      '0.2.0 StateFileHash 12dd06238989da12',
      '0.2.0 StateAddressNames 357dc64cafb1e159',
      '0.2.0 StateWrites 843be19e3eb28c20',
      '0.2.0 StateFilebeatHost 2c6cc776614709da',
      '0.2.0 StateFilebeatFile e68212b2e04a871f',
    ],
    'restore packages/wire/history from git; `npm run golden -- --release VERSION` adds a release',
  );
});
