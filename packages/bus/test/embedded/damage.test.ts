import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Log, silentLog } from '@ringfence/base';
import { createRecord, createTopic, defer, readAll, temporary } from '@ringfence/testkit/bus';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';

/** Creates the files of a killed bus, by copying those of an open one. Returns the path. */
async function filesOfKilledBus(t: TestContext, records: number): Promise<string> {
  const directory = temporary(t);
  const bus = await openEmbeddedBus({ path: join(directory, 'live.db') });
  await bus.ensureTopics([createTopic('t')]);
  for (let i = 0; i < records; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(20_000, i) })]);
  const path = join(directory, 'bus.db');
  for (const suffix of ['', '-wal']) cpSync(join(directory, `live.db${suffix}`), path + suffix);
  await bus.close();
  return path;
}

function overwrite(path: string, position: number, length: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, position);
}

function capture(): { readonly log: Log; readonly messages: string[] } {
  const messages: string[] = [];
  const take = (_facts: unknown, message?: unknown): void => void messages.push(String(message));
  return { log: { ...silentLog, info: take, warn: take, error: take }, messages };
}

describe('damage', () => {
  for (const [defect, damageLog] of [
    ['cut in the middle of a frame', (wal: string) => truncateSync(wal, statSync(wal).size - 5000)],
    ['overwritten at its end', (wal: string) => overwrite(wal, statSync(wal).size - 30_000, 30_000)],
  ] as const) {
    test(`a log tail that is ${defect} loses its records, and no others`, async (t) => {
      const path = await filesOfKilledBus(t, 50);
      damageLog(`${path}-wal`);
      const bus = await openEmbeddedBus({ path });
      defer(t, () => bus.close());
      assert.equal(bus.movedAside, null);
      const records = await readAll(bus, 't');
      assert.ok(records.length >= 47 && records.length < 50, `${records.length} records are left`);
      for (const { value, offset } of records) assert.deepEqual(value, Buffer.alloc(20_000, offset));
      await bus.produce([createRecord('t', { value: 'next' })]);
      assert.equal((await readAll(bus, 't')).at(-1)?.offset, records.length);
    });
  }

  test('a file that is not a database is moved aside with a log message, and an empty bus opens', async (t) => {
    const path = join(temporary(t), 'bus.db');
    writeFileSync(path, 'this was a bus once '.repeat(1000));
    const { log, messages } = capture();
    const bus = await openEmbeddedBus({ path, log });
    defer(t, () => bus.close());
    assert.ok(bus.movedAside !== null && existsSync(bus.movedAside));
    assert.match(messages.join(), /damaged; it was moved to .*bus\.db\.damaged-/);
    await bus.ensureTopics([createTopic('t')]);
    await bus.produce([createRecord('t')]);
  });

  test('a database with damaged pages is found after a crash, and moved aside', async (t) => {
    const path = await filesOfKilledBus(t, 200);
    // A first open and close moves the pages from the log to the file.
    await (await openEmbeddedBus({ path })).close();
    overwrite(path, 8192 * 2, 8192 * 8);
    writeFileSync(`${path}.suspect`, '');
    const bus = await openEmbeddedBus({ path });
    defer(t, () => bus.close());
    assert.ok(bus.movedAside !== null && existsSync(bus.movedAside));
    assert.ok(!existsSync(`${path}.suspect`));
  });

  test('damage found while running is a coded error, and the next open moves the file aside', async (t) => {
    const path = await filesOfKilledBus(t, 200);
    await (await openEmbeddedBus({ path })).close();
    overwrite(path, 8192 * 12, 8192 * 60);
    const bus = await openEmbeddedBus({ path });
    if (bus.movedAside === null) {
      await assert.rejects(readAll(bus, 't'), { code: 'ERR_BUS_STORAGE' });
      await bus.close();
      const again = await openEmbeddedBus({ path });
      defer(t, () => again.close());
      assert.notEqual(again.movedAside, null);
      return;
    }
    await bus.close();
  });

  test('an invalid lock file is replaced', async (t) => {
    const path = join(temporary(t), 'bus.db');
    writeFileSync(`${path}.lock`, 'garbage '.repeat(1000));
    const bus = await openEmbeddedBus({ path });
    await bus.close();
  });

  test('a file of another format is refused, and not changed', async (t) => {
    const path = join(temporary(t), 'bus.db');
    await (await openEmbeddedBus({ path })).close();
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    await assert.rejects(openEmbeddedBus({ path }), { code: 'ERR_BUS_FORMAT', format: 99 });
    assert.ok(!readdirSync(join(path, '..')).some((name) => name.includes('damaged')));
  });

  test('only the owner can read any of its files from their first byte on, with any umask; wider modes are corrected', async (t) => {
    const directory = temporary(t);
    const path = join(directory, 'bus.db');
    const umask = process.umask(0);
    t.after(() => process.umask(umask));
    const modes = (): string[] =>
      readdirSync(directory).map((name) => `${name} ${(statSync(join(directory, name)).mode & 0o777).toString(8)}`);
    const all = ['bus.db 600', 'bus.db-shm 600', 'bus.db-wal 600', 'bus.db.lock 600'];
    {
      await using _first = await openEmbeddedBus({ path });
      // SQLite copies the mode of the file to its log when the log is created: the file had it before.
      assert.deepEqual(
        modes()
          .filter((text) => !text.includes('journal'))
          .sort(),
        all,
      );
      for (const suffix of ['', '-wal', '-shm']) cpSync(path + suffix, join(directory, `killed.db${suffix}`));
    }
    for (const suffix of ['', '-wal', '-shm']) chmodSync(join(directory, `killed.db${suffix}`), 0o644);
    await using _second = await openEmbeddedBus({ path: join(directory, 'killed.db') });
    assert.deepEqual(
      modes().filter((text) => text.startsWith('killed') && !text.endsWith(' 600')),
      [],
    );
  });

  test('a clean close leaves only the file and its lock', async (t) => {
    const directory = temporary(t);
    const bus = await openEmbeddedBus({ path: join(directory, 'bus.db') });
    await bus.close();
    assert.deepEqual(readdirSync(directory).sort(), ['bus.db', 'bus.db.lock']);
    assert.equal(statSync(join(directory, 'bus.db')).mode & 0o777, 0o600);
  });
});
