import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { codecFor } from '../src/btf/codec.ts';
import { elfSection } from '../src/elf.ts';
import { BpfError, Btf, emitRecords, emitSkeleton, mapTypes } from '../src/index.ts';
import { clang, compile, scratch } from './kernel.ts';

const SOURCE = `
enum x_color { X_COLOR_RED = 1, X_BLUE = 2 };
struct x_inner { unsigned short half; unsigned char bytes[3]; unsigned char pad; };
struct x_outer { struct x_inner inner; int negative; unsigned long long wide; enum x_color color; unsigned int list[2]; unsigned int pad2; };
typedef struct { union { struct { signed char s; _Bool yes; }; unsigned int both; }; float f; double d; long long big; void *pointer; unsigned int low : 5, high : 27; } loose;
struct x_outer use_outer; loose use_loose;
`;

describe('BTF', { skip: clang === undefined && 'no clang' }, () => {
  let directory: ReturnType<typeof scratch>;
  let object: string;
  let btf: Btf;
  before(() => {
    directory = scratch();
    object = join(directory.path, 'types.o');
    const source = join(directory.path, 'types.c');
    writeFileSync(source, SOURCE);
    execFileSync(clang ?? '', ['-g', '-O2', '-target', 'bpf', '-c', source, '-o', object]);
    btf = Btf.fromObject(object);
  });
  after(() => directory[Symbol.dispose]());

  const idOf = (name: string): number => btf.types.findIndex((type) => type.name === name);

  test('sizes and member offsets match the layout of the compiler', () => {
    const outer = btf.find('struct', 'x_outer');
    assert.deepEqual(
      outer?.members.map(({ name, bitOffset }) => [name, bitOffset / 8]),
      [
        ['inner', 0],
        ['negative', 8],
        ['wide', 16],
        ['color', 24],
        ['list', 28],
        ['pad2', 36],
      ],
    );
    assert.equal(btf.sizeOf(idOf('x_outer')), 40);
    assert.equal(btf.sizeOf(idOf('loose')), 40);
  });

  test('values of every type are read back as written', () => {
    const codec = codecFor(btf, idOf('x_outer'));
    const view = new DataView(new ArrayBuffer(8 + codec.size));
    const value = {
      inner: { half: 65535, bytes: Uint8Array.of(1, 2, 3), pad: 9 },
      negative: -5,
      wide: 2n ** 64n - 1n,
      color: 2,
      list: [1, 2 ** 32 - 1],
      pad2: 0,
    };
    codec.write(view, 8, value);
    assert.deepEqual(codec.read(view, 8), value);
    assert.equal(view.getBigUint64(0), 0n);
    const loose = codecFor(btf, idOf('loose'));
    const second = new DataView(new ArrayBuffer(loose.size));
    loose.write(second, 0, { s: -1, yes: true, f: 0.5, d: 0.25, big: -1n, pointer: 5n, low: 31, high: 2 ** 27 - 1 });
    assert.deepEqual(loose.read(second, 0), {
      s: -1,
      yes: true,
      both: 0x1ff,
      f: 0.5,
      d: 0.25,
      big: -1n,
      pointer: 5n,
      low: 31,
      high: 2 ** 27 - 1,
    });
  });

  test('emitted readers return the values that were written', async () => {
    const text = emitRecords(btf, { prefix: 'x_', header: '// made by a test' });
    const file = join(directory.path, 'records.mts');
    writeFileSync(file, text);
    const records = await import(pathToFileURL(file).href);
    assert.equal(records.SIZEOF_OUTER, 40);
    assert.equal(records.OUTER_LIST, 28);
    assert.equal(records.OUTER_LIST_LENGTH, 2);
    assert.equal('OUTER_PAD2' in records, false);
    assert.deepEqual(records.Color, { RED: 1, BLUE: 2 });
    const view = new DataView(new ArrayBuffer(60));
    codecFor(btf, idOf('x_outer')).write(view, 10, { inner: { half: 7 }, negative: -5, wide: 2n ** 63n + 3n });
    assert.equal(records.innerHalf(view, 10 + records.OUTER_INNER), 7);
    assert.equal(records.outerNegative(view, 10), -5);
    assert.equal(records.outerWideLo(view, 10), 3);
    assert.equal(records.outerWideHi(view, 10), 2 ** 31);
  });

  test('emitting readers of a missing struct throws a coded error', () => {
    assert.throws(() => emitRecords(btf, { prefix: 'x_', header: '', types: ['x_nope'] }), { code: 'ERR_BPF_BTF' });
  });

  test('emits a skeleton with the types of maps, globals and programs', () => {
    const text = emitSkeleton(Btf.fromObject(compile('every-map', directory.path)), 'EveryMap');
    assert.match(
      text,
      /readonly hash: \{ readonly key: number; readonly value: \{ readonly a: number; readonly b: bigint \} \};/,
    );
    assert.match(text, /readonly percpu_hash: \{ readonly key: number; readonly value: readonly \(bigint\)\[\] \};/);
    assert.match(text, /readonly outer: \{ readonly key: number; readonly value: Uint8Array \};/);
    assert.match(text, /^ {4}answer: number;$/m);
    assert.match(text, /^ {4}label: Uint8Array;$/m);
    assert.match(text, /readonly program: 'count';/);
  });

  test('finds the key types of maps', () => {
    const every = Btf.fromObject(compile('every-map', directory.path));
    const lpm = mapTypes(every).find(({ name }) => name === 'lpm');
    assert.equal(lpm?.type, 11);
    assert.equal(every.resolve(lpm?.key ?? 0).name, 'lpm_key');
  });

  test('parsing damaged bytes returns types or throws a coded error, and never crashes or hangs', () => {
    const elf = readFileSync(object);
    const section = elfSection(elf, '.BTF') ?? new Uint8Array();
    const damage = fc.array(fc.tuple(fc.nat(section.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(section.length), (changes, cut) => {
        const bytes = section.slice(0, section.length - cut + (cut % 2) * cut);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const damaged = new Btf(bytes);
          for (let id = 0; id < damaged.types.length; id++) codecFor(damaged, id);
        } catch (error) {
          assert.ok(error instanceof BpfError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('parsing a damaged object file throws a coded error', () => {
    const elf = readFileSync(object);
    assert.throws(() => elfSection(elf.subarray(0, 100), '.BTF'), { code: 'ERR_BPF_OPEN' });
    assert.throws(() => elfSection(Buffer.from('nonsense'), '.BTF'), { code: 'ERR_BPF_OPEN' });
    assert.equal(elfSection(elf, '.nope'), undefined);
  });
});
