import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { BpfMap, BpfObject, PinnedProgram } from '../src/index.ts';
import { compile, scratch, skipPins } from './kernel.ts';

/** Script of a process that dies without cleaning up: of four records, it has released one. */
const FIRST_PROCESS = `
  import { BpfObject } from '@ringfence/libbpf-ts';
  const [path, pins] = process.argv.slice(1);
  const object = BpfObject.open(path);
  object.definition('ring').pinAt(pins + '/ring');
  object.load();
  object.program('produce').pin(pins + '/produce');
  object.program('produce').run({ context: new Uint8Array(Uint32Array.of(4, 8, 0, 0).buffer) });
  const ring = object.map('ring').ringBuffer();
  ring.begin();
  ring.next();
  ring.release();
  ring.next();
  process.kill(process.pid, 'SIGKILL');
`;

describe('a process that is killed and started again', { skip: skipPins }, () => {
  test('reads the unreleased records of its pinned ring, and both programs write to it', () => {
    using directory = scratch();
    const path = compile('ring', directory.path);
    const pins = `/sys/fs/bpf/rf-test-${process.pid}`;
    mkdirSync(pins);
    try {
      const args = ['--conditions=@ringfence/source', '--input-type=module', '-e', FIRST_PROCESS, path, pins];
      assert.throws(() => execFileSync(process.execPath, args, { cwd: import.meta.dirname, stdio: 'pipe' }), {
        signal: 'SIGKILL',
      });

      using object = BpfObject.open(path);
      object.definition('ring').pinAt(`${pins}/ring`);
      object.load();
      using pinned = BpfMap.openPinned(`${pins}/ring`);
      assert.equal(pinned.info.id, object.map('ring').info.id);

      using pinnedProgram = PinnedProgram.open(`${pins}/produce`);
      assert.notEqual(pinnedProgram.id, object.program('produce').id);
      pinnedProgram.run({ context: new Uint8Array(Uint32Array.of(1, 8, 0, 0).buffer) });
      object.program('produce').run({ context: new Uint8Array(Uint32Array.of(1, 8, 0, 0).buffer) });

      using ring = object.map('ring').ringBuffer();
      const values: bigint[] = [];
      ring.begin();
      while (ring.next()) values.push(ring.view.getBigUint64(ring.offset, true));
      assert.deepEqual(values, [2n, 3n, 4n, 5n, 1n]);
    } finally {
      rmSync(pins, { recursive: true });
    }
  });

  test('keeps the values of its pinned global variables', () => {
    using directory = scratch();
    const path = compile('ring', directory.path);
    const pin = `/sys/fs/bpf/rf-test-${process.pid}-bss`;
    const request = { context: new Uint8Array(Uint32Array.of(3, 8, 0, 0).buffer) };
    const start = (): BpfObject => {
      const object = BpfObject.open(path);
      object.section('.bss').pinAt(pin);
      return object.load();
    };
    try {
      using first = start();
      first.program('produce').run(request);
      first[Symbol.dispose]();
      using second = start();
      assert.equal(second.globals['written'], 3n);
      second.program('produce').run(request);
      assert.equal(second.globals['written'], 6n);
    } finally {
      rmSync(pin);
    }
  });

  test('opens a pinned map with its types and without the object', () => {
    using directory = scratch();
    const pin = `/sys/fs/bpf/rf-test-${process.pid}-hash`;
    using object = BpfObject.open(compile('every-map', directory.path)).load();
    const map = object.map('hash');
    map.pin(pin);
    try {
      map.set(5, { a: 1, b: 2n });
      using opened = BpfMap.openPinned(pin);
      assert.deepEqual([...opened.entries()], [[5, { a: 1, b: 2n }]]);
    } finally {
      map.unpin(pin);
    }
    assert.throws(() => BpfMap.openPinned(pin), { code: 'ERR_BPF_PIN', errnoName: 'ENOENT' });
    assert.throws(() => map.unpin(directory.path), { code: 'ERR_BPF_PIN' });
    assert.throws(() => map.pin(`${directory.path}/pin`), { code: 'ERR_BPF_PIN' });
  });
});
