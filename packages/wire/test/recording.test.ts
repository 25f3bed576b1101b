import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { logBatch, SyntheticHost } from '@ringfence/synthetic';
import { registerWriter, writerSchemas } from '../src/avro/codec.ts';
import { openRecording, recordingEntry, recordingHeader, routeOf } from '../src/recording.ts';
import { createSigningKey, keyIdOf } from '../src/signing.ts';
import { TOPIC } from '../src/topic/topics.ts';

const dir = mkdtempSync(join(tmpdir(), 'rf-rec-'));
test.after(() => rmSync(dir, { recursive: true }));
const key = createSigningKey();
const header = recordingHeader(new Map([['host-1', key.publicKey]]));
const records = [Buffer.from('one'), Buffer.alloc(70_000, 7), Buffer.from('three')];
const whole = Buffer.concat([header, ...records.map(recordingEntry)]);

function write(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

test('a recording contains its records and the keys of its hosts', async () => {
  await using recording = await openRecording(write('whole', whole));
  assert.deepEqual(await Array.fromAsync(recording.records()), records);
  const enrolled = recording.enrolled.get('host-1');
  assert.ok(enrolled);
  assert.equal(keyIdOf(enrolled), key.keyId);
});

test('the topic and key of a recorded batch, or of log lines, are known', () => {
  const host = new SyntheticHost({ key });
  host.tick(1);
  assert.deepEqual(routeOf(host.batch()), { topic: TOPIC.raw, key: host.hostId });
  assert.deepEqual(routeOf(logBatch(host, ['a line'])), { topic: TOPIC.logsRaw, key: host.hostId });
  for (const head of ['{"ringfence":{"host_id":', '{"ringfence":null}\n', '{"ringfence":{"host_id":1}}\n'])
    assert.throws(() => routeOf(Buffer.from(head)), /broken head/, head);
});

test('a recording contains the schemas of batches that other versions wrote', () => {
  const current = writerSchemas().find(({ name }) => name === 'RawBatch')?.schema ?? assert.fail();
  const { fields, ...rest } = JSON.parse(current) as { fields: { name: string; default?: unknown }[] };
  const older = JSON.stringify({ ...rest, fields: [...fields, { name: 'gone', type: 'int', default: 0 }] });
  registerWriter('RawBatch', older);
  const [, line = ''] = recordingHeader(new Map()).toString().split('\n');
  const { schemas } = JSON.parse(line) as { schemas: { name: string; schema: string }[] };
  const batches = schemas.filter(({ name }) => name === 'RawBatch').map(({ schema }) => schema);
  assert.ok(batches.length === 2 && batches[0] === current && batches[1] === older, `${batches.length} schemas`);
});

test('a recording that is cut off yields its complete records, then an error with the position', async () => {
  await using recording = await openRecording(write('cut', whole.subarray(0, whole.length - 5 - 4 - 1000)));
  const seen: Buffer[] = [];
  await assert.rejects(async () => {
    for await (const record of recording.records()) seen.push(record);
  }, /record 1 at byte \d+ is cut off/);
  assert.deepEqual(seen, [records[0]]);
});

test('a file that is not a recording, has a broken header or a hostile length is refused', async () => {
  await assert.rejects(openRecording(join(dir, 'missing')), OperatorError);
  await assert.rejects(openRecording(dir), /not a regular file/);
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  await assert.rejects(openRecording(join(dir, 'pipe')), /not a regular file/);
  await assert.rejects(openRecording(write('other', Buffer.from('hello\n'))), /is not a recording/);
  for (const header of [
    '{}',
    '{"schemas":[],"enrolled":null}',
    '{"schemas":[],"enrolled":{"h":null}}',
    '{"schemas":[],"enrolled":{"h":"no key"}}',
    '{"schemas":[null],"enrolled":{}}',
  ])
    await assert.rejects(openRecording(write('header', Buffer.from(`RINGFENCE RECORDING 1\n${header}\n`))), {
      name: 'OperatorError',
      message: /broken header/,
    });
  await using recording = await openRecording(
    write('length', Buffer.concat([header, Buffer.from([255, 255, 255, 255])])),
  );
  await assert.rejects(Array.fromAsync(recording.records()), /an invalid length/);
});
