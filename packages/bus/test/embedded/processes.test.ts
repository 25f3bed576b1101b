import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRecord, createTopic, defer, readAll, temporary } from '@ringfence/testkit/bus';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { openEmbeddedReader } from '../../src/embedded/reader.ts';
import type { InRecord } from '../../src/port.ts';

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly line: () => Promise<string>;
}

function start(t: TestContext, path: string): Child {
  const script = join(import.meta.dirname, 'processes-child.ts');
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', script, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  defer(t, () => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { process: child, line: async () => String((await lines.next()).value) };
}

describe('several processes', () => {
  test('a second writing process is refused with the pid of the first', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const bus = await openEmbeddedBus({ path });
    defer(t, () => bus.close());
    assert.equal(await start(t, path).line(), `ERR_BUS_LOCKED ${process.pid}`);
    await assert.rejects(openEmbeddedBus({ path }), { code: 'ERR_BUS_LOCKED', pid: process.pid, path });
  });

  test('the lock is released when its process is killed', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const child = start(t, path);
    assert.equal(await child.line(), 'open');
    await assert.rejects(openEmbeddedBus({ path }), { code: 'ERR_BUS_LOCKED', pid: child.process.pid });
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    const bus = await openEmbeddedBus({ path });
    await bus.close();
  });

  test('another process can read and follow while one writes', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const child = start(t, path);
    await child.line();
    child.process.stdin.write('a 1\n');
    await child.line();
    await using reader = await openEmbeddedReader({ path, followIntervalMs: 5 });
    assert.deepEqual(reader.topics(), ['a', 'b']);
    assert.equal((await readAll(reader, 'a')).length, 1);
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { value } of reader.read({ topic: 'a', follow: true, signal: abort.signal })) {
      seen.push(String(value));
      if (seen.length === 3) abort.abort();
      else child.process.stdin.write(`a ${seen.length + 1}\n`);
    }
    assert.deepEqual(seen, ['1', '2', '3']);
  });

  test('another process can read and follow several topics, in the order of writing', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const child = start(t, path);
    await child.line();
    const written = ['b 1', 'a 2', 'a 3', 'b 4', 'a 5', 'b 6'];
    const write = async (line: string | undefined): Promise<void> => {
      // Records of one millisecond have no order across topics.
      await sleep(2);
      child.process.stdin.write(`${line}\n`);
      await child.line();
    };
    for (const line of written.slice(0, 4)) await write(line);
    await using reader = await openEmbeddedReader({ path, followIntervalMs: 5 });
    const topics = { topic: ['a', 'b'] };
    const lineOf = ({ topic, value }: InRecord): string => `${topic} ${value}`;
    assert.deepEqual((await Array.fromAsync(reader.read(topics))).map(lineOf), written.slice(0, 4));
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const record of reader.read({ ...topics, follow: true, signal: abort.signal })) {
      seen.push(lineOf(record));
      if (seen.length === written.length) abort.abort();
      else if (seen.length >= 4) await write(written[seen.length]);
    }
    assert.deepEqual(seen, written);
    assert.throws(() => reader.read({ topic: ['a', 'no-such'] }), { code: 'ERR_BUS_UNKNOWN_TOPIC' });
  });

  test('a bus without a writer can be read; other files are refused with a code', async (t) => {
    const directory = temporary(t);
    const path = join(directory, 'bus.db');
    const bus = await openEmbeddedBus({ path });
    await bus.ensureTopics([createTopic('t')]);
    await bus.produce([createRecord('t', { value: 'stored' })]);
    await bus.close();
    await using reader = await openEmbeddedReader({ path });
    assert.deepEqual(
      (await readAll(reader, 't')).map(({ value }) => String(value)),
      ['stored'],
    );
    assert.throws(() => reader.read({ topic: 'no-such' }), { code: 'ERR_BUS_UNKNOWN_TOPIC' });
    await assert.rejects(openEmbeddedReader({ path: join(directory, 'missing.db') }), { code: 'ERR_BUS_STORAGE' });
    writeFileSync(join(directory, 'text'), 'not a database, but long enough to be taken for one'.repeat(50));
    await assert.rejects(openEmbeddedReader({ path: join(directory, 'text') }), { code: 'ERR_BUS_STORAGE' });
  });

  test('a group has one consumer at a time', async (t) => {
    const bus = await openEmbeddedBus({ path: ':memory:' });
    defer(t, () => bus.close());
    await bus.ensureTopics([createTopic('t')]);
    const consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    await assert.rejects(bus.consumer({ group: 'g', topics: ['t'] }), { code: 'ERR_BUS_USAGE' });
    await consumer.close();
    await (await bus.consumer({ group: 'g', topics: ['t'] })).close();
  });
});
