import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decode,
  encode,
  FRAME_BYTES,
  fingerprint,
  frame,
  isKnownSchema,
  learnSchema,
  registerWriter,
  writerSchemas,
} from '../src/avro/codec.ts';
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
  ...UNSIGNED,
};

test('CRC-64-AVRO gives the fingerprints that the Avro specification lists', () => {
  // Avro's own share/test/data/schema-tests.txt: "null" and "int"
  assert.equal(fingerprint('"null"').readBigInt64LE(), 7195948357588979594n);
  assert.equal(fingerprint('"int"').readBigInt64LE(), 8247732601305521295n);
});

test('a record is framed as an Avro single object and reads back', () => {
  const bytes = encode('Result', result);
  assert.equal(bytes.toString('hex', 0, 2), 'c301');
  assert.deepEqual(bytes.subarray(0, FRAME_BYTES), frame('Result'));
  assert.deepEqual({ ...decode('Result', bytes) }, result);
});

test('a record of another schema, of none, or cut off is refused with a code', () => {
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

/** Result as an older and as a newer version would have it. */
function versions(): { older: string; newer: string } {
  const schema = JSON.parse(portableSchema('Result')) as {
    fields: { name: string; type: unknown; default?: unknown }[];
  };
  const without = { ...schema, fields: schema.fields.filter((field) => field.name !== 'executable') };
  const withMore = { ...schema, fields: [...schema.fields, { name: 'durationUs', type: 'long', default: 0 }] };
  return { older: JSON.stringify(without), newer: JSON.stringify(withMore) };
}

test('a newer version of a record is read by us: what we do not know is left out', async () => {
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

test('our version of a record is read by an older one: avsc leaves out what it does not know', async () => {
  const { default: avro } = await import('avsc');
  const old = avro.Type.forSchema(JSON.parse(versions().older));
  const ours = avro.Type.forSchema(JSON.parse(portableSchema('Result')));
  const value = old.fromBuffer(encode('Result', result).subarray(FRAME_BYTES), old.createResolver(ours)) as Result;
  const { executable: _, ...expected } = result;
  assert.deepEqual({ ...value }, expected);
});

test('a version that ours cannot resolve is refused when it is registered, with the field', () => {
  assert.throws(() => registerWriter('Result', versions().older), /executable/);
});

test('every record carries its schema in one piece', () => {
  for (const { name, schema } of writerSchemas()) assert.doesNotThrow(() => registerWriter(name, schema), name);
});

test('a schema that somebody says is known by its own name and fingerprint, or refused', () => {
  const said = { ...(JSON.parse(portableSchema('Result')) as { fields: object[] }) };
  const newer = JSON.stringify({ ...said, fields: [...said.fields, { name: 'learnt', type: 'long', default: 0 }] });
  const learnt = learnSchema(newer);
  assert.equal(learnt?.name, 'Result');
  assert.ok(isKnownSchema(learnt.fingerprint));
  assert.equal(isKnownSchema('0011223344556677'), false);
  assert.equal(learnSchema('{"type":"record","name":"Order","fields":[]}'), null);
  assert.equal(learnSchema('"int"'), null);
  const deep = `${'{"type":"array","items":'.repeat(9000)}"int"${'}'.repeat(9000)}`;
  for (const [what, schema] of [
    ['no JSON', '{'],
    ['no schema', '{"type":"nothing"}'],
    [
      'a name that is code',
      '{"type":"record","name":"ringfence.Result","fields":[{"name":"a;process.exit()","type":"int"}]}',
    ],
    ['too long', `{"type":"record","name":"Order","doc":"${'x'.repeat(300_000)}","fields":[]}`],
    ['too deep', deep],
    ['one that ours can not be read from', '{"type":"record","name":"ringfence.Result","fields":[]}'],
  ] as const)
    assert.throws(() => learnSchema(schema), { code: 'ERR_SCHEMA_UNKNOWN' }, what);
});
