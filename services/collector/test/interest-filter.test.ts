import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '@ringfence/base';
import type { Interest } from '@ringfence/interest';
import { BpfMap } from '@ringfence/libbpf-ts';
import { headsOf, unnamedOf, unwatchedOf, WatchedTexts } from '@ringfence/sensor';
import type { AskedHooks, InterestTable } from '@ringfence/sensor/parts';
import { nameKey, prefixKey } from '@ringfence/sensor/parts';
import { InterestFilter } from '../src/interest-filter.ts';

const skip = process.getuid?.() !== 0 && 'making a BPF map needs root';
const ALL_HEADS = 0xffff_ffff_ffff_ffffn;
const bit = (char: string): bigint => 1n << BigInt(char.charCodeAt(0) % 64);

describe('the filter of paths and names', () => {
  it('encodes a prefix as its length in bits and its bytes, cut off where the key ends', () => {
    const key = Buffer.from(prefixKey('/é'));
    assert.equal(key.readUInt32LE(), 24);
    assert.equal(key.subarray(4, 8).toString(), '/é\0');
    assert.equal(Buffer.from(prefixKey(`/${'x'.repeat(300)}`)).readUInt32LE(), 256 * 8);
  });

  it('pads a name with NUL, and keeps the last bytes of a long name', () => {
    assert.equal(Buffer.from(nameKey('shadow')).toString(), `shadow${'\0'.repeat(26)}`);
    assert.equal(Buffer.from(nameKey(`no${'x'.repeat(31)}y`)).toString(), `${'x'.repeat(31)}y`);
  });

  const table: readonly (readonly [prefixes: readonly string[], heads: bigint])[] = [
    [[], 0n],
    [['/etc/ssh', '/run/', '/etcetera'], bit('e') | bit('r')],
    [['/a', '/!'], bit('a') | bit('!')],
    [['/etc', '/'], ALL_HEADS],
    [['/etc', 'relative/'], ALL_HEADS],
    [['/\u00e9'], 1n << BigInt(0xc3 % 64)],
  ];
  for (const [prefixes, heads] of table) {
    it(`looks for ${prefixes.join(' ') || 'no prefix'} under ${heads === ALL_HEADS ? 'every directory' : heads.toString(16)}`, () =>
      assert.equal(headsOf(prefixes.map(prefixKey)), heads));
  }

  const cleared = (unused: Uint8Array): number =>
    8 * unused.length - unused.reduce((sum, byte) => sum + (byte.toString(2).match(/1/g)?.length ?? 0), 0);

  it('clears a bit of a table for each name, and for the first bytes of each prefix', () => {
    assert.equal(cleared(unnamedOf([])), 0);
    assert.equal(cleared(unnamedOf(['shadow', 'shadow-', 'x'.repeat(40)].map(nameKey))), 3);
    assert.equal(cleared(unwatchedOf([])), 0);
    const prefixes = ['/etc/ssh', '/elsewhere/s', '/usr/lib/systemd/system', '/usr/local/share/', '/var/'];
    assert.equal(cleared(unwatchedOf(prefixes.map(prefixKey))), 3);
  });

  for (const prefix of ['/', 'relative/', '//etc'])
    it(`rules no path out by its first bytes when ${prefix} is watched`, () => {
      const unused = unwatchedOf(['/etc/ssh', prefix].map(prefixKey));
      assert.equal(cleared(unused), prefix === '//etc' ? 2 : 8 * unused.length);
    });

  it('adds new names before it removes old ones, and refuses a list that does not fit as a whole', { skip }, () => {
    using map = BpfMap.create({ type: 'hash', name: 'rf_test', keySize: 32, valueSize: 4, maxEntries: 4096 });
    const names = new WatchedTexts(map, nameKey);
    const keys = (): string[] =>
      Array.from(map.keys(), (key) => Buffer.from(key).toString().replaceAll('\0', '')).toSorted();
    assert.ok(names.add(['a', 'b', '']));
    assert.ok(names.add(['b', 'c']));
    assert.deepEqual(keys(), ['a', 'b', 'c']);
    names.keep(['b', 'c']);
    assert.deepEqual(keys(), ['b', 'c']);
    assert.equal(names.add(Array.from({ length: 4095 }, (_, index) => `n${index}`)), false);
    assert.deepEqual(keys(), ['b', 'c']);
    assert.equal(new WatchedTexts(map, nameKey).size, 2);
  });

  it('changes to another list although both together do not fit', { skip }, () => {
    using stack = new DisposableStack();
    const texts = (keySize: number, encode: (text: string) => Uint8Array, flags = 0): WatchedTexts => {
      const type = flags === 0 ? 'hash' : 'lpm_trie';
      const map = BpfMap.create({ type, name: 'rf_test', keySize, valueSize: 4, maxEntries: 4096, flags });
      return new WatchedTexts(stack.use(map), encode);
    };
    const [prefixes, changedPrefixes] = [texts(260, prefixKey, 1), texts(260, prefixKey, 1)];
    const [names, executables, changedNames] = [texts(32, nameKey), texts(32, nameKey), texts(32, nameKey)];
    const warnings: string[] = [];
    const control = {
      allOpens: false,
      watchedHeads: 0n,
      watchingNames: false,
      watchingExecutables: false,
      changedHeads: 0n,
      watchingChangedNames: false,
    };
    const filter = new InterestFilter(
      { opens: 'interest', watchedPaths: [], audit: [] },
      {
        watched: { prefixes, names, executables, changedPrefixes, changedNames },
        hashes: { unwatched: new Uint8Array(512), unnamed: new Uint8Array(512) },
        interests: { set: () => true } as unknown as InterestTable,
        asked: { add: () => [], keep: () => undefined } as unknown as AskedHooks,
        control,
      },
      { ...silentLog, warn: (_: object, message: string) => warnings.push(message) },
    );
    const interest = (letter: string, count: number): Interest => ({
      version: 1,
      openPathPrefixes: [],
      openNames: Array.from({ length: count }, (_, index) => `${letter}${index}`),
      openExecutables: [],
      changePathPrefixes: [],
      changeNames: [],
      wants: [],
    });
    filter.apply(interest('a', 3000));
    filter.apply(interest('b', 3000));
    assert.deepEqual([control.allOpens, names.size, warnings], [false, 3000, []]);
    filter.apply(interest('c', 5000));
    assert.deepEqual([control.allOpens, warnings.length], [true, 1]);
  });
});
