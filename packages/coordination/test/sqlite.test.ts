import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { conformance } from '../src/conformance/index.ts';
import { type Coordination, CoordinationLockedError, openCoordination } from '../src/index.ts';

function temporaryFile(): { readonly path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'rf-coordination-'));
  return { path: join(dir, 'coordination.db'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

conformance('SQLite', async () => {
  const disposables = new DisposableStack();
  const file = disposables.use(temporaryFile());
  let open: Coordination | undefined;
  return {
    connect: async () => {
      open ??= await openCoordination({ path: file.path });
      return open;
    },
    // A crash leaves the file as it is, and the next process opens it: simulate this with a copy of the file.
    crash: async () => {
      const copy = disposables.use(temporaryFile());
      for (const suffix of ['', '-wal']) cpSync(file.path + suffix, copy.path + suffix);
      open = await openCoordination({ path: copy.path });
      return open;
    },
    dispose: async () => {
      await Promise.race([open?.close(), new Promise((resolve) => setTimeout(resolve, 100))]);
      disposables.dispose();
    },
  };
});

suite('the SQLite file', () => {
  test('is locked by its process and readable by its owner only', async () => {
    using file = temporaryFile();
    await using _first = await openCoordination({ path: file.path });
    await assert.rejects(openCoordination({ path: file.path }), CoordinationLockedError);
    for (const suffix of ['', '-wal']) assert.equal(statSync(file.path + suffix).mode & 0o077, 0, suffix);
  });

  test('is readable by its owner only from the start, and so is its log', async () => {
    using file = temporaryFile();
    const mask = process.umask(0);
    try {
      await using coordination = await openCoordination({ path: file.path });
      await coordination.add({ id: 'a', queue: 'q', payload: Buffer.from('x'), expiresAt: Date.now() + 60_000 });
      // SQLite gives its log the mode that the file has when the log is created.
      for (const suffix of ['', '-wal']) assert.equal(statSync(file.path + suffix).mode & 0o777, 0o600, suffix);
    } finally {
      process.umask(mask);
    }
  });

  test('keeps jobs, limits and windows across a restart', async () => {
    using file = temporaryFile();
    {
      await using first = await openCoordination({ path: file.path });
      await first.add({ id: 'a', queue: 'q', payload: Buffer.from('x'), expiresAt: Date.now() + 60_000 });
      await first.take('k', { rate: 0.001, burst: 1 });
      await first.once('k', 60_000);
    }
    await using second = await openCoordination({ path: file.path });
    assert.equal((await second.counts('q')).waiting, 1);
    assert.equal((await second.take('k', { rate: 0.001, burst: 1 })).granted, false);
    assert.equal(await second.once('k', 60_000), false);
  });

  test('is created anew with a warning if it is damaged', async () => {
    using file = temporaryFile();
    writeFileSync(file.path, 'not a database, but longer than the header of a database: '.repeat(100));
    const warned: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => void warned.push(message) };
    await using fresh = await openCoordination({ path: file.path, log });
    assert.equal(await fresh.once('k', 1000), true);
    assert.equal(warned.length, 1);
  });
});
