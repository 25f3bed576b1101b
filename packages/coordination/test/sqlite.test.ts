import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { conformance } from '../src/conformance/index.ts';
import { type Coordination, CoordinationLockedError, openCoordination } from '../src/index.ts';

function temp(): { readonly path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'rf-coordination-'));
  return { path: join(dir, 'coordination.db'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

conformance('SQLite', async () => {
  const places = new DisposableStack();
  const place = places.use(temp());
  let open: Coordination | undefined;
  return {
    connect: async () => {
      open ??= await openCoordination({ path: place.path });
      return open;
    },
    // kill -9 leaves the file as it is: a copy of it is what the next process finds. See also the responder's crash tests.
    crash: async () => {
      const copy = places.use(temp());
      const { cpSync } = await import('node:fs');
      for (const suffix of ['', '-wal']) cpSync(place.path + suffix, copy.path + suffix);
      open = await openCoordination({ path: copy.path });
      return open;
    },
    dispose: async () => {
      await Promise.race([open?.close(), new Promise((resolve) => setTimeout(resolve, 100))]);
      places.dispose();
    },
  };
});

suite('the file', () => {
  test('belongs to one process, and is readable to nobody else', async () => {
    using place = temp();
    await using _first = await openCoordination({ path: place.path });
    await assert.rejects(openCoordination({ path: place.path }), CoordinationLockedError);
    assert.equal(statSync(place.path).mode & 0o077, 0);
  });

  test('keeps jobs, limits and windows over a restart', async () => {
    using place = temp();
    {
      await using first = await openCoordination({ path: place.path });
      await first.add({ id: 'a', queue: 'q', payload: Buffer.from('x'), expiresAt: Date.now() + 60_000 });
      await first.take('k', { rate: 0.001, burst: 1 });
      await first.once('k', 60_000);
    }
    await using second = await openCoordination({ path: place.path });
    assert.equal((await second.counts('q')).waiting, 1);
    assert.equal((await second.take('k', { rate: 0.001, burst: 1 })).granted, false);
    assert.equal(await second.once('k', 60_000), false);
  });

  test('that is damaged is begun anew, with a warning', async () => {
    using place = temp();
    writeFileSync(place.path, 'this is no database, and it is longer than a header of one: '.repeat(100));
    const warned: string[] = [];
    const log = { info: () => {}, warn: (_: object, message: string) => void warned.push(message), error: () => {} };
    await using fresh = await openCoordination({ path: place.path, log });
    assert.equal(await fresh.once('k', 1000), true);
    assert.equal(warned.length, 1);
  });
});
