import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BpfObject } from '../src/index.ts';
import { compile, scratch, skip } from './kernel.ts';

describe('iterators on the running kernel', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let object: BpfObject;
  before(() => {
    directory = scratch();
    object = BpfObject.open(compile('tasks', directory.path)).load();
  });
  after(() => {
    object[Symbol.dispose]();
    directory[Symbol.dispose]();
  });

  function tgids(bytes: Uint8Array): Set<number> {
    return new Set(new Uint32Array(new Uint8Array(bytes).buffer));
  }

  test('each run reads all tasks', () => {
    using link = object.program('dump_tasks').attachIterator();
    for (let run = 0; run < 2; run++) {
      using iterator = link.iterate();
      const seen = tgids(iterator.readAll());
      assert.ok(seen.has(process.pid));
      assert.ok(seen.size > 1);
      assert.equal(iterator.read(new Uint8Array(4)), 0);
    }
  });

  test('an iterator can be read as a stream', async () => {
    using link = object.program('dump_tasks').attach();
    using iterator = link.iterate();
    const chunks: Uint8Array[] = [];
    for await (const chunk of iterator) chunks.push(chunk);
    assert.ok(tgids(Buffer.concat(chunks)).has(process.pid));
  });

  test('an iterator can be restricted to one process', () => {
    using link = object.program('dump_tasks').attachIterator({ tgid: process.pid });
    using iterator = link.iterate();
    assert.deepEqual([...tgids(iterator.readAll())], [process.pid]);
  });

  test('disposing of a link removes it from the links of its object', () => {
    const before = object.links.size;
    for (let run = 0; run < 3; run++) {
      using link = object.program('dump_tasks').attachIterator();
      assert.ok(object.links.has(link));
    }
    assert.equal(object.links.size, before);
  });

  test('using a disposed iterator throws', () => {
    using link = object.program('dump_tasks').attachIterator();
    const iterator = link.iterate();
    iterator[Symbol.dispose]();
    iterator[Symbol.dispose]();
    assert.throws(() => iterator.readAll(), { code: 'ERR_BPF_DISPOSED' });
  });
});
