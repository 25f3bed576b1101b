import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { cached } from '../src/cache.ts';
import { reservePorts } from '../src/ports.ts';

describe('the cache of servers', () => {
  const before = process.env['RINGFENCE_TESTKIT_CACHE'];
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rf-cache-'));
    process.env['RINGFENCE_TESTKIT_CACHE'] = root;
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
    if (before === undefined) delete process.env['RINGFENCE_TESTKIT_CACHE'];
    else process.env['RINGFENCE_TESTKIT_CACHE'] = before;
  });

  test('makes a directory once for concurrent callers', async () => {
    let made = 0;
    const make = async (directory: string) => {
      made += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(join(directory, 'jar'), '');
    };
    const all = await Promise.all([cached('a', 'k', make), cached('a', 'k', make), cached('a', 'k', make)]);
    assert.equal(made, 1);
    assert.equal(new Set(all).size, 1);
    assert.ok(existsSync(join(all[0], 'jar')));
  });

  test('keeps nothing of a failed attempt, and makes the directory at the next call', async () => {
    const fail = async (directory: string) => {
      writeFileSync(join(directory, 'half'), '');
      throw new Error('no network');
    };
    await assert.rejects(cached('a', 'k', fail), /no network/);
    assert.deepEqual(readdirSync(root), []);
    const directory = await cached('a', 'k', async () => {});
    assert.deepEqual(readdirSync(directory), []);
  });
});

test('a port is reserved once until it is released', async () => {
  const reserved = await Promise.all(Array.from({ length: 20 }, () => reservePorts(5)));
  const ports = reserved.flatMap((reservation) => reservation.ports);
  assert.equal(new Set(ports).size, 100);
  await Promise.all(reserved.map((reservation) => reservation[Symbol.asyncDispose]()));
});
