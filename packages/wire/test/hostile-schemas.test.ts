import assert from 'node:assert/strict';
import test from 'node:test';
import { collidingSchema } from '@ringfence/synthetic';
import avro from 'avsc';
import { boundsOf, countedItems } from '../src/avro/bounds.ts';
import { identifySchema } from '../src/avro/canonical.ts';
import { decode, isKnownSchema, learnSchema, registerWriter, standingOf } from '../src/avro/codec.ts';
import { fingerprint } from '../src/avro/fingerprint.ts';
import { type ReleasedSchema, releasedSchemas } from '../src/avro/history.ts';
import { portableSchema, typeOf } from '../src/avro/schemas.ts';
import { SchemaError } from '../src/errors.ts';
import { RELEASED } from '../src/generated/released.generated.ts';
import { createSigningKey, importSigningKey, signBytes, signedPart, verifyRecord } from '../src/signing.ts';
import { publishersOf, publishSchema, readPublishedSchema } from '../src/topic/published-schema.ts';
import { schemaBook } from '../src/topic/schema-book.ts';

interface RecordJson {
  readonly fields: readonly { readonly name: string; readonly type: unknown }[];
}

const canonicalOf = (type: avro.Type): string => JSON.stringify(type.schema());

function released(name: string, version = ''): ReleasedSchema {
  const found = releasedSchemas().findLast((schema) => schema.name === name && schema.version.startsWith(version));
  assert.ok(found);
  return found;
}

/** Returns a schema with another field of this type, and with its default. */
function withField(schema: string, type: unknown, name = 'added'): string {
  const json = JSON.parse(schema) as RecordJson;
  return JSON.stringify({ ...json, fields: [...json.fields, { name, type }] });
}

/** Returns a Command with the modes in another order and with another field. */
function commandWith(modes: readonly string[], field: string): string {
  const json = typeOf('Command').schema() as unknown as RecordJson;
  const fields = json.fields.map((each) =>
    each.name === 'mode' ? { ...each, type: { ...(each.type as object), symbols: modes } } : each,
  );
  // keyId and signature are the last fields.
  return JSON.stringify({
    ...json,
    fields: [...fields.slice(0, -2), { name: field, type: 'long' }, ...fields.slice(-2)],
  });
}

// The first test, because nothing has loaded the released schemas yet.
test('a made-up schema with the fingerprint of a released one is refused before anything is loaded', () => {
  const wanted = '50b4b43bf2812462';
  const json = typeOf('Result').schema() as unknown as RecordJson;
  const forged = collidingSchema(wanted, (name) =>
    JSON.stringify({ ...json, fields: [...json.fields, { name, type: 'string' }] }),
  );
  assert.equal(fingerprint(forged).toString('hex'), wanted);
  assert.throws(() => learnSchema(forged), {
    code: 'ERR_SCHEMA_CONFLICT',
    message: /50b4b43bf2812462 already.*SHA-256/,
  });
  assert.throws(() => registerWriter('Result', forged), { code: 'ERR_SCHEMA_CONFLICT' });
  const { type } = released('Result', '0.1.0');
  assert.ok(isKnownSchema(wanted));
  const value = type.random() as unknown as { id: string };
  const bytes = Buffer.concat([Buffer.from([0xc3, 1]), Buffer.from(wanted, 'hex'), type.toBuffer(value)]);
  assert.equal(decode('Result', bytes).id, value.id);
});

test('a block whose stated size is not that of its items is refused, since skipping it might never end', () => {
  const type = avro.Type.forSchema({ type: 'array', items: 'boolean' });
  // count -1, size, the item, and the end of the array
  const withSize = (size: number): Buffer => Buffer.from([0x01, size < 0 ? -2 * size - 1 : 2 * size, 0x01, 0x00]);
  assert.equal(boundsOf(type, withSize(1), 0), 4);
  for (const size of [-1, -2, 0, 2, 3])
    assert.throws(() => boundsOf(type, withSize(size), 0), { code: 'ERR_SCHEMA_MALFORMED' });
});

test('a made-up schema of the same fingerprint does not change what a signed record of a newer version says', () => {
  const modes = ['observe', 'enforce'];
  const newer = commandWith(modes, 'later');
  const print = fingerprint(newer).toString('hex');
  const forged = collidingSchema(print, (name) => commandWith(modes.toReversed(), name));
  assert.notEqual(forged, newer);
  assert.equal(fingerprint(forged).toString('hex'), print);

  const key = createSigningKey();
  const type = avro.Type.forSchema(JSON.parse(newer) as avro.Schema, { wrapUnions: 'auto' });
  const value = { ...(type.random() as object), mode: 'observe', keyId: key.keyId };
  const bytes = Buffer.concat([Buffer.from([0xc3, 1]), Buffer.from(print, 'hex'), type.toBuffer(value)]);
  signedPart(bytes).signature.set(signBytes(key, signedPart(bytes).signed));

  assert.equal(learnSchema(newer)?.fingerprint, print);
  assert.throws(() => learnSchema(forged), { code: 'ERR_SCHEMA_CONFLICT' });
  assert.equal(standingOf(identifySchema('forged', forged)), 'conflict');
  assert.equal(standingOf(identifySchema('newer', newer)), 'known');
  assert.ok(verifyRecord(key.publicKey, bytes));
  assert.equal(decode('Command', bytes).mode, 'observe');
});

test('the list of released schemas has each schema as its version published it', () => {
  for (const { version, name, type } of releasedSchemas()) {
    const published = JSON.stringify(type.schema({ exportAttrs: true }));
    const { canonical, fingerprint: print, sha256 } = identifySchema(name, published);
    assert.equal(canonical, canonicalOf(type), `${name} of ${version}`);
    assert.equal(RELEASED.get(print), sha256, `${name} of ${version}`);
  }
});

test('identifySchema and the Avro library find the same canonical form', () => {
  const text = JSON.stringify({
    type: 'record',
    name: 'Result',
    namespace: 'ringfence',
    doc: 'ignored',
    fields: [
      { name: 'a', type: { type: 'fixed', name: 'other.Four', size: 4 }, doc: 'x' },
      { name: 'b', type: ['null', { type: 'map', values: 'other.Four' }], default: null },
      { name: 'c', type: { type: 'array', items: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } } },
      { name: 'd', type: 'E', default: 'X' },
      { name: 'e', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'f', type: { type: 'record', name: 'Inner', fields: [{ name: 'a', type: { type: 'string' } }] } },
    ],
  });
  const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema, { wrapUnions: 'auto' });
  assert.equal(identifySchema('text', text).canonical, canonicalOf(type));
});

const EMPTY_ITEMS: Readonly<Record<string, unknown>> = {
  'an array of null': { type: 'array', items: 'null' },
  'an array of fixed of size 0': { type: 'array', items: { type: 'fixed', name: 'Zero', size: 0 } },
  'an array of records without fields': { type: 'array', items: { type: 'record', name: 'None', fields: [] } },
  'an array of records of nulls': {
    type: 'array',
    items: { type: 'record', name: 'Nulls', fields: [{ name: 'a', type: 'null' }] },
  },
  'a map of null': { type: 'map', values: 'null' },
  'an array of records with a byte and many nulls': {
    type: 'array',
    items: {
      type: 'record',
      name: 'Wide',
      fields: [
        { name: 'a', type: 'int' },
        ...Array.from({ length: 2000 }, (_, i) => ({ name: `n${i}`, type: 'null' })),
      ],
    },
  },
  'a fixed of size 0': { type: 'fixed', name: 'Zero', size: 0 },
  'a record that contains itself': {
    type: 'array',
    items: { type: 'record', name: 'Loop', fields: [{ name: 'next', type: ['null', 'Loop'] }] },
  },
  'types 50 levels deep': Array.from({ length: 50 }).reduce<unknown>((items) => ({ type: 'array', items }), 'int'),
};

for (const [label, type] of Object.entries(EMPTY_ITEMS))
  test(`a schema with ${label} is not learnt`, () => {
    const schema = withField(portableSchema('Result'), type);
    assert.throws(() => learnSchema(schema), { code: 'ERR_SCHEMA_UNKNOWN' });
    assert.throws(() => registerWriter('Result', schema), { code: 'ERR_SCHEMA_UNKNOWN' });
  });

/** Returns blocks of as many items without bytes as the length of the rest allows each of them to have. */
function bomb(bytes: number): Buffer {
  const long = (value: number): number[] => {
    const out: number[] = [];
    for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...out, rest];
      out.push((rest % 128) | 0x80);
    }
  };
  const parts: number[] = [];
  while (parts.length + 4 < bytes) parts.push(...long(bytes - parts.length - 4));
  while (parts.length < bytes) parts.push(0);
  return Buffer.from(parts);
}

test('items without bytes cost no more than the bytes of their record', (t) => {
  const type = avro.Type.forSchema({ type: 'array', items: 'null' });
  for (const kib of [4, 8, 16, 32]) {
    const bytes = bomb(kib * 1024);
    assert.throws(() => boundsOf(type, bytes, 0), SchemaError);
    const found = countedItems();
    t.diagnostic(`${kib} KiB of blocks of null: refused at ${found} items, the bound is ${bytes.length + 1}`);
    // One block more than the bound has been counted, and none of its items visited.
    assert.ok(found <= 2 * bytes.length + 2, `${found} items in ${bytes.length} bytes`);
  }
  assert.equal(boundsOf(type, Buffer.from([2, 0]), 0), 2, 'an item without bytes is no bomb');
});

const PEM = createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('a published schema is verified with the key that it names, and is the same schema for Avro', () => {
  const key = importSigningKey(PEM);
  const schema = portableSchema('Alert');
  const value = publishSchema(schema, key);
  const published = readPublishedSchema(value);
  assert.equal(published.keyId, key.keyId);
  assert.ok(published.isSignedBy(key.publicKey));
  assert.equal(published.isSignedBy(createSigningKey().publicKey), false);
  assert.equal(identifySchema('Alert', published.schema).canonical, canonicalOf(typeOf('Alert')));
  // 0.1.0 gives the text to the Avro library.
  const type = avro.Type.forSchema(JSON.parse(published.schema) as avro.Schema, { wrapUnions: 'auto' });
  assert.equal(canonicalOf(type), canonicalOf(typeOf('Alert')));
  for (const at of [0, 20, schema.length, value.length - 140, value.length - 5]) {
    const changed = Buffer.from(value);
    changed[at] = (changed[at] as number) ^ 1;
    assert.equal(readPublishedSchema(changed).isSignedBy(key.publicKey), false, `byte ${at}`);
  }
});

test('an unsigned schema is read as such, whatever it is', () => {
  const key = createSigningKey();
  for (const text of ['', '{}', '{"type":"record"', portableSchema('Alert'), `,"keyId":"${'0'.repeat(16)}"`, '\u0000'])
    assert.deepEqual(
      [readPublishedSchema(Buffer.from(text)).keyId, readPublishedSchema(Buffer.from(text)).isSignedBy(key.publicKey)],
      ['', false],
    );
  assert.deepEqual(publishSchema('{"a":1}', null).toString(), '{"a":1}');
});

test('only a role that writes a record publishes its schema, and agents publish none', () => {
  assert.deepEqual(publishersOf('Alert'), ['detector']);
  assert.deepEqual(publishersOf('Command'), ['responder']);
  assert.deepEqual(publishersOf('RawBatch'), []);
  assert.deepEqual(publishersOf('Enrolment'), ['registrar']);
});

test('a schema is trusted from the root key, or from a key that is in force for a role that writes the record', () => {
  const [root, detector, enricher] = [createSigningKey(), createSigningKey(), createSigningKey()];
  const revokedAt = 1000;
  const book = schemaBook({
    ...{ key: detector, root },
    trusted:
      (role) =>
      (keyId, at = 0) => {
        if (role === 'detector' && keyId === detector.keyId && at < revokedAt) return detector.publicKey;
        return role === 'enricher' && keyId === enricher.keyId ? enricher.publicKey : undefined;
      },
  });
  const schema = portableSchema('Alert');
  const isTrusted = (key: typeof root, record = 'Alert', at = 0): boolean =>
    book.read(publishSchema(schema, key), at).isTrusted(record);
  assert.ok(isTrusted(root));
  assert.ok(isTrusted(detector));
  assert.equal(isTrusted(detector, 'Alert', revokedAt), false, 'published after its revocation');
  assert.equal(isTrusted(enricher), false, 'of a role that writes no alerts');
  assert.equal(isTrusted(detector, 'Command'), false);
  assert.equal(isTrusted({ ...createSigningKey(), keyId: root.keyId }), false, 'under the name of the root key');
  assert.equal(book.read(Buffer.from(schema), 0).isTrusted('Alert'), false);
  assert.equal(schemaBook(null).read(Buffer.from(schema), 0).isTrusted('Alert'), true, 'in one process');
  const [rawBatch] = book.currentSchemas().filter(({ name }) => name === 'RawBatch');
  assert.ok(rawBatch);
  assert.equal(book.publish(rawBatch), null, 'schemas of batches come from releases');
});
