import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decode,
  encode,
  FRAME_BYTES,
  frame,
  isKnownSchema,
  learnSchema,
  registerWriter,
  writerSchemas,
} from '../src/avro/codec.ts';
import { fingerprint } from '../src/avro/fingerprint.ts';
import { portableSchema } from '../src/avro/schemas.ts';
import { SchemaError } from '../src/errors.ts';
import type { Result } from '../src/generated/types.generated.ts';
import { UNSIGNED } from '../src/signing.ts';

const result: Result = {
  id: 'c1',
  hostId: 'h1',
  outcome: 'executed',
  reason: '',
  executable: '/bin/sh',
  at: 1_700_000_000_000_000,
  children: 0,
  facts: {},
  ...UNSIGNED,
};

test('CRC-64-AVRO gives the fingerprints of the Avro project', () => {
  // share/test/data/schema-tests.txt of Avro: "null" and "int"
  assert.equal(fingerprint('"null"').readBigInt64LE(), 7195948357588979594n);
  assert.equal(fingerprint('"int"').readBigInt64LE(), 8247732601305521295n);
});

test('a record is framed as an Avro single object and can be decoded', () => {
  const bytes = encode('Result', result);
  assert.equal(bytes.toString('hex', 0, 2), 'c301');
  assert.deepEqual(bytes.subarray(0, FRAME_BYTES), frame('Result'));
  assert.deepEqual({ ...decode('Result', bytes) }, result);
});

test('decode refuses a record with another schema, without a schema or cut off, with a code for each', () => {
  const bytes = encode('Result', result);
  const code = (expected: string) => (error: unknown) =>
    error instanceof SchemaError && error.code === expected && error.fate === 'poison';
  assert.throws(() => decode('Alert', bytes), code('ERR_SCHEMA_UNKNOWN'));
  assert.throws(() => decode('Result', Buffer.from('{"id":1}')), code('ERR_SCHEMA_FRAME'));
  assert.throws(() => decode('Result', bytes.subarray(0, bytes.length - 2)), code('ERR_SCHEMA_MALFORMED'));
  const unknown = Buffer.from(bytes);
  unknown.writeUInt8(unknown.readUInt8(3) ^ 1, 3);
  assert.throws(() => decode('Result', unknown), code('ERR_SCHEMA_UNKNOWN'));
  assert.throws(() => encode('Result', { ...result, outcome: 'exploded' as 'executed' }), code('ERR_SCHEMA_VALUE'));
});

/** Returns the schema of Result in an older and in a newer version. */
function versions(): { older: string; newer: string } {
  const schema = JSON.parse(portableSchema('Result')) as {
    fields: { name: string; type: unknown; default?: unknown }[];
  };
  const without = { ...schema, fields: schema.fields.filter((field) => field.name !== 'executable') };
  const withMore = { ...schema, fields: [...schema.fields, { name: 'durationUs', type: 'long', default: 0 }] };
  return { older: JSON.stringify(without), newer: JSON.stringify(withMore) };
}

test('a record of a newer version can be read once its schema is registered, without its new fields', async () => {
  const { default: avro } = await import('avsc');
  const { newer } = versions();
  const type = avro.Type.forSchema(JSON.parse(newer));
  const bytes = Buffer.concat([
    Buffer.from([0xc3, 1]),
    fingerprint(JSON.stringify(type.schema())),
    type.toBuffer({ ...result, durationUs: 5 }),
  ]);
  assert.throws(() => decode('Result', bytes), SchemaError);
  registerWriter('Result', newer);
  assert.deepEqual({ ...decode('Result', bytes) }, result);
});

test('an older version reads a record without the fields that it does not know', async () => {
  const { default: avro } = await import('avsc');
  const old = avro.Type.forSchema(JSON.parse(versions().older));
  const current = avro.Type.forSchema(JSON.parse(portableSchema('Result')));
  const resolver = old.createResolver(current);
  const value = old.fromBuffer(encode('Result', result).subarray(FRAME_BYTES), resolver) as Result;
  const { executable: _, ...expected } = result;
  assert.deepEqual({ ...value }, expected);
});

test('a schema that this version can not resolve is refused when it is registered, and the field is named', () => {
  assert.throws(() => registerWriter('Result', versions().older), /executable/);
});

test('the schema of every record is complete in itself', () => {
  for (const { name, schema } of writerSchemas()) assert.doesNotThrow(() => registerWriter(name, schema), name);
});

test('a published schema is known by its name and fingerprint, or refused', () => {
  const schema = JSON.parse(portableSchema('Result')) as { fields: object[] };
  const fields = [...schema.fields, { name: 'learned', type: 'long', default: 0 }];
  const learned = learnSchema(JSON.stringify({ ...schema, fields }));
  assert.equal(learned?.name, 'Result');
  assert.ok(isKnownSchema(learned.fingerprint));
  assert.equal(isKnownSchema('0011223344556677'), false);
  assert.equal(learnSchema('{"type":"record","name":"Order","fields":[]}'), null);
  assert.equal(learnSchema('"int"'), null);
  const deep = `${'{"type":"array","items":'.repeat(9000)}"int"${'}'.repeat(9000)}`;
  for (const [label, schema] of [
    ['not JSON', '{'],
    ['not a schema', '{"type":"nothing"}'],
    [
      'a name that is code',
      '{"type":"record","name":"ringfence.Result","fields":[{"name":"a;process.exit()","type":"int"}]}',
    ],
    ['too long', `{"type":"record","name":"Order","doc":"${'x'.repeat(300_000)}","fields":[]}`],
    ['too deep', deep],
    ['without the fields that are needed', '{"type":"record","name":"ringfence.Result","fields":[]}'],
  ] as const)
    assert.throws(() => learnSchema(schema), { code: 'ERR_SCHEMA_UNKNOWN' }, label);
});
