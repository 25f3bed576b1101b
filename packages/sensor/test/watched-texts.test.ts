import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { ControlBlock } from '../src/filter/control-block.ts';
import { headsOf, unnamedOf, unwatchedOf } from '../src/filter/watched-hashes.ts';
import { nameKey, prefixKey, WatchedTexts } from '../src/filter/watched-texts.ts';

const skip = process.getuid?.() !== 0 && 'creating a BPF map needs root';
const EVERY_HEAD = 0xffff_ffff_ffff_ffffn;
const bit = (char: string): bigint => 1n << BigInt(char.charCodeAt(0) % 64);

describe('keys of watched texts', () => {
  it('a prefix becomes its length in bits and its bytes, and is cut to the size of the key', () => {
    const key = Buffer.from(prefixKey('/é'));
    assert.equal(key.readUInt32LE(), 24);
    assert.equal(key.subarray(4, 8).toString(), '/é\0');
    assert.equal(Buffer.from(prefixKey(`/${'x'.repeat(300)}`)).readUInt32LE(), 256 * 8);
  });

  it('a name is padded with NUL; of a long name the last bytes are kept', () => {
    assert.equal(Buffer.from(nameKey('shadow')).toString(), `shadow${'\0'.repeat(26)}`);
    assert.equal(Buffer.from(nameKey(`no${'x'.repeat(31)}y`)).toString(), `${'x'.repeat(31)}y`);
  });
});

describe('summaries of watched texts', () => {
  const table: readonly (readonly [prefixes: readonly string[], heads: bigint])[] = [
    [[], 0n],
    [['/etc/ssh', '/run/', '/etcetera'], bit('e') | bit('r')],
    [['/a', '/!'], bit('a') | bit('!')],
    [['/etc', '/'], EVERY_HEAD],
    [['/etc', 'relative/'], EVERY_HEAD],
    [['/\u00e9'], 1n << BigInt(0xc3 % 64)],
  ];
  for (const [prefixes, heads] of table) {
    const expected = heads === EVERY_HEAD ? 'every bit' : heads.toString(16);
    it(`the heads of ${prefixes.join(' ') || 'no prefix'} are ${expected}`, () =>
      assert.equal(headsOf(prefixes.map(prefixKey)), heads));
  }

  const cleared = (unused: Uint8Array): number =>
    8 * unused.length - unused.reduce((sum, byte) => sum + (byte.toString(2).match(/1/g)?.length ?? 0), 0);

  it('clear one bit for each name, and for the first bytes of the components of each prefix', () => {
    assert.equal(cleared(unnamedOf([])), 0);
    assert.equal(cleared(unnamedOf(['shadow', 'shadow-', 'x'.repeat(40)].map(nameKey))), 3);
    assert.equal(cleared(unwatchedOf([])), 0);
    const prefixes = ['/etc/ssh', '/elsewhere/s', '/usr/lib/systemd/system', '/usr/local/share/', '/var/'];
    assert.equal(cleared(unwatchedOf(prefixes.map(prefixKey))), 3);
  });

  for (const prefix of ['/', 'relative/'])
    it(`clear all bits when ${prefix} is watched`, () => {
      const unused = unwatchedOf(['/etc/ssh', prefix].map(prefixKey));
      assert.equal(cleared(unused), 8 * unused.length);
    });

  it('skip the empty component of //etc', () => {
    assert.equal(cleared(unwatchedOf(['/etc/ssh', '//etc'].map(prefixKey))), 2);
  });
});

describe('a set of watched texts', { skip }, () => {
  it('adds new texts before it removes old ones, and rejects a set that is too large as a whole', () => {
    using map = BpfMap.create({ type: 'hash', name: 'rf_test', keySize: 32, valueSize: 4, maxEntries: 4096 });
    const names = new WatchedTexts(map, nameKey);
    const texts = (): string[] =>
      Array.from(map.keys(), (key) => Buffer.from(key).toString().replaceAll('\0', '')).toSorted();
    assert.ok(names.add(['a', 'b', '']));
    assert.ok(names.add(['b', 'c']));
    assert.deepEqual(texts(), ['a', 'b', 'c']);
    names.keepOnly(['b', 'c']);
    assert.deepEqual(texts(), ['b', 'c']);
    assert.equal(names.add(Array.from({ length: 4095 }, (_, index) => `n${index}`)), false);
    assert.deepEqual(texts(), ['b', 'c']);
    assert.equal(new WatchedTexts(map, nameKey).size, 2);
  });

  it('is restored after another process has added, removed and replaced texts', () => {
    using map = BpfMap.create({ type: 'hash', name: 'rf_test', keySize: 32, valueSize: 4, maxEntries: 4096 });
    const names = new WatchedTexts(map, nameKey);
    names.add(['a', 'b']);
    assert.equal(names.restore(), 0);
    map.remove(nameKey('a'));
    map.update(nameKey('c'), new Uint8Array(4));
    assert.equal(names.restore(), 2);
    assert.deepEqual(
      [names.restore(), ...['a', 'b', 'c'].map((name) => map.lookup(nameKey(name), new Uint8Array(4)))],
      [0, true, true, false],
    );
  });
});

describe('the control block', () => {
  it('is restored word by word, except where the sensor writes', () => {
    const words = new Int32Array(records.SIZEOF_CONTROL / 4);
    const control = new ControlBlock(words);
    control.agent = { tgid: 7, start: 5n, cgroup: 9n };
    control.watchedHeads = 3n << 32n;
    control.arm();
    const before = Int32Array.from(words);
    words[records.CONTROL_SLEEPING / 4] = 0;
    assert.equal(control.restore(), 0);
    words.fill(0, records.CONTROL_WATCHED_HEADS / 4);
    control.generation = 4;
    words[records.CONTROL_GENERATION / 4] = 0;
    assert.deepEqual([control.generation, control.restore() > 0], [4, true]);
    before[records.CONTROL_SLEEPING / 4] = 0;
    before[records.CONTROL_GENERATION / 4] = 4;
    assert.deepEqual(words, before);
  });
});
