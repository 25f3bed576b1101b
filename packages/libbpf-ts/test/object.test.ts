import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BpfLoadError, BpfObject, setLogger } from '../src/index.ts';
import { bpftool, compile, scratch, skip } from './kernel.ts';

/** index of the interface */
const LOOPBACK = 1;

describe('objects on the running kernel', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let path: string;
  before(() => {
    directory = scratch();
    path = compile('every-map', directory.path);
  });
  after(() => directory[Symbol.dispose]());

  test('constants are set before load and fixed afterwards', () => {
    using object = BpfObject.open(path);
    object.globals['answer'] = 42;
    object.load();
    assert.equal(object.program('count').run().result, 42);
    assert.equal(object.globals['answer'], 42);
    assert.throws(() => {
      object.globals['answer'] = 43;
    }, /set it before load/);
  });

  test('variables are shared with the running program, by name, by view and by Atomics', () => {
    using object = BpfObject.open(path);
    object.globals['answer'] = 1;
    object.globals['favorite'] = 1;
    object.globals['big_total'] = 40n;
    object.load();
    object.program('count').run();
    assert.equal(object.globals['big_total'], 41n);
    assert.deepEqual(object.globals['origin'], { x: -3, y: 1, flag: 0, pad: 0 });
    const runs = object.section('.bss').int32('runs');
    assert.equal(Atomics.load(runs, 0), 1);
    Atomics.store(runs, 0, 10);
    object.program('count').run();
    assert.equal(object.globals['runs'], 11);
    assert.equal(
      object.section('.data').view.getBigUint64(object.section('.data').variable('big_total').offset, true),
      42n,
    );
    assert.equal(Reflect.set(object.globals, 'no_such_variable', 1), false);
    assert.throws(() => object.section('.nope'), { code: 'ERR_BPF_NOT_FOUND' });
    assert.throws(() => object.section('.bss').get('nope'), { code: 'ERR_BPF_NOT_FOUND' });
  });

  test('a loaded program tells how much work the verifier had', () => {
    using object = BpfObject.open(path);
    assert.throws(() => object.program('count').verifiedInstructions, { code: 'ERR_BPF_USAGE' });
    object.load();
    const { verifiedInstructions } = object.program('count');
    assert.ok(verifiedInstructions > 1 && verifiedInstructions < 1000, String(verifiedInstructions));
  });

  test('a program tells how often the kernel was to run it and did not', () => {
    using object = BpfObject.open(compile('skipped', directory.path));
    object.load();
    const program = object.program('on_allocation');
    using link = program.attach();
    assert.ok(link.attached);
    const before = program.recursionMisses;
    for (let key = 0; key < 8; key++) object.map('devices').set(key, LOOPBACK);
    assert.ok(program.recursionMisses >= before + 8, String(program.recursionMisses));
  });

  test('opens from memory', () => {
    using object = BpfObject.openMemory(readFileSync(path), { name: 'frommem' });
    object.load();
    assert.equal(object.program('count').run().result, 0);
  });

  test('opens a skeleton made by bpftool', { skip: bpftool === undefined && 'no bpftool' }, () => {
    const skeleton = join(directory.path, 'every.skel.h');
    writeFileSync(skeleton, execFileSync(bpftool ?? '', ['gen', 'skeleton', path]));
    using object = BpfObject.openSkeleton(skeleton);
    object.globals['answer'] = 5;
    object.load();
    assert.equal(object.program('count').run().result, 5);
  });

  test('a refused program shows the whole verifier log', () => {
    using object = BpfObject.open(compile('refused', directory.path));
    assert.throws(
      () => object.load(),
      (error) => {
        assert.ok(error instanceof BpfLoadError);
        assert.equal(error.code, 'ERR_BPF_LOAD');
        assert.equal(error.errnoName, 'EACCES');
        assert.equal(error.program, 'unchecked_pointer');
        assert.match(error.verifierLog, /^arg#0|^0:|^func#0|^reg type/);
        assert.match(error.verifierLog, /R0 invalid mem access 'map_value_or_null'\nprocessed \d+ insns .*$/);
        assert.ok(error.message.includes(error.verifierLog));
        return true;
      },
    );
    assert.throws(() => object.load(), { code: 'ERR_BPF_USAGE' });
  });

  test('loads without the program that this kernel refuses', () => {
    using object = BpfObject.open(compile('refused', directory.path));
    object.program('unchecked_pointer').autoload = false;
    object.load();
    assert.equal(object.program('fine').loaded, true);
    assert.equal(object.program('unchecked_pointer').loaded, false);
    assert.throws(() => object.program('unchecked_pointer').fd, { code: 'ERR_BPF_USAGE' });
  });

  test('what libbpf prints goes to the logger, and warnings to the error', () => {
    const lines: string[] = [];
    setLogger((level, line) => lines.push(`${level} ${line}`));
    try {
      assert.throws(() => BpfObject.open(join(directory.path, 'missing.o')), {
        code: 'ERR_BPF_OPEN',
        errnoName: 'ENOENT',
        operation: 'bpf_object__open_file',
        log: [`libbpf: elf: failed to open ${join(directory.path, 'missing.o')}: No such file or directory`],
      });
      using object = BpfObject.open(path);
      object.load();
    } finally {
      setLogger(undefined);
    }
    assert.ok(lines.some((line) => line.startsWith('warn libbpf: elf: failed to open')));
    assert.ok(lines.some((line) => line.startsWith('debug libbpf: ')));
  });

  test('maps can be resized before load, not after', () => {
    using object = BpfObject.open(path);
    object.definition('hash').resize(10);
    object.load();
    assert.equal(object.map('hash').info.maxEntries, 10);
    assert.throws(() => object.definition('hash').resize(20), { code: 'ERR_BPF_MAP' });
  });

  test('a map of one object can be used by another', () => {
    using first = BpfObject.open(path).load();
    using second = BpfObject.open(path);
    second.definition('hash').reuse(first.map('hash'));
    second.load();
    first.map('hash').set(1, { a: 1, b: 2n });
    assert.deepEqual(second.map('hash').get(1), { a: 1, b: 2n });
  });

  test('bad files get a coded error', () => {
    const cases: [Uint8Array, string][] = [
      [Buffer.from('not an object'), 'text'],
      [new Uint8Array(0), 'nothing'],
      [readFileSync(path).subarray(0, 200), 'a cut object'],
    ];
    for (const [bytes, description] of cases) {
      assert.throws(() => BpfObject.openMemory(bytes), { code: 'ERR_BPF_OPEN' }, description);
    }
  });

  test('calls in the wrong order and after dispose say what to do', () => {
    const object = BpfObject.open(path);
    assert.throws(() => object.map('hash'), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => object.attach(), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => object.program('nope'), { code: 'ERR_BPF_NOT_FOUND' });
    object.load();
    const { view } = object.section('.bss');
    const map = object.map('hash');
    object[Symbol.dispose]();
    object[Symbol.dispose]();
    assert.throws(() => object.load(), { code: 'ERR_BPF_DISPOSED' });
    assert.throws(() => object.globals['runs'], { code: 'ERR_BPF_DISPOSED' });
    assert.throws(() => map.get(1), { code: 'ERR_BPF_DISPOSED' });
    assert.throws(() => view.getUint8(0), TypeError);
  });

  test('dispose gives every descriptor and mapping back', () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('bpf-map').length;
    const round = (): void => {
      using object = BpfObject.open(compiledRing).load();
      using ring = object.map('ring').ringBuffer();
      assert.equal(ring.pendingBytes(), 0);
    };
    const compiledRing = compile('ring', directory.path);
    round();
    const before = [descriptors(), mappings()];
    for (let count = 0; count < 5; count++) round();
    assert.deepEqual([descriptors(), mappings()], before);
  });
});
