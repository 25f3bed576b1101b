import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { type FileKey, FileTable, parseIdentities } from '../src/filter/file-table.ts';

const skip = process.getuid?.() !== 0 && 'creating a BPF map needs root';
const READS = records.FileEntry.FILE_READS;

function key(inode: number, generation = 1): FileKey {
  const bytes = new Uint8Array(records.SIZEOF_FILE_KEY);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(records.FILE_KEY_INODE, BigInt(inode), true);
  view.setUint32(records.FILE_KEY_DEVICE, 8, true);
  view.setUint32(records.FILE_KEY_GENERATION, generation, true);
  return bytes;
}

const file = (...keys: FileKey[]) => ({ reads: true, keys });

describe('the identities of files', () => {
  it('of an overlay are two: its own and that of the file beneath', () => {
    const bytes = new Uint8Array(2 * records.SIZEOF_FILE_IDENTITY);
    bytes.set(key(10), records.FILE_IDENTITY_KEY);
    bytes.set(key(11), records.FILE_IDENTITY_BENEATH);
    bytes[records.FILE_IDENTITY_DESCRIPTOR] = 5;
    bytes.set(key(12), records.SIZEOF_FILE_IDENTITY);
    bytes[records.SIZEOF_FILE_IDENTITY + records.FILE_IDENTITY_DESCRIPTOR] = 6;
    assert.deepEqual(
      parseIdentities(bytes),
      new Map([
        [5, [key(10), key(11)]],
        [6, [key(12)]],
      ]),
    );
  });
});

describe('the table of files that are recognized by identity', { skip }, () => {
  class Maps implements Disposable {
    readonly files = BpfMap.create({ type: 'hash', name: 'rf_test', keySize: 16, valueSize: 4, maxEntries: 4096 });
    readonly paths = BpfMap.create({ type: 'array', name: 'rf_test', keySize: 4, valueSize: 264, maxEntries: 1024 });
    readonly hashes = new Uint8Array(records.Hash.HASHES / 8);

    /** "inode path", with * for any generation, and " reads" if opens that only read are wanted */
    entries(): string[] {
      const keys = Array.from(this.files.keys(), (bytes) => Buffer.from(bytes as unknown as Uint8Array));
      return keys.map((bytes) => this.#describe(bytes)).sort();
    }

    #describe(bytes: Buffer): string {
      const entry = Buffer.from(this.files.get(bytes as never) as unknown as Uint8Array).readUInt32LE();
      const slot = (entry & records.FileEntry.FILE_SLOT) - 1;
      const value = Buffer.from(
        this.paths.get(Buffer.from(Uint32Array.of(slot).buffer) as never) as unknown as Uint8Array,
      );
      const path = value.toString('utf8', records.FILE_PATH_PATH, records.FILE_PATH_PATH + value.readUInt32LE());
      const any = bytes.readUInt32LE(records.FILE_KEY_GENERATION) === 0 ? '*' : '';
      return `${bytes.readBigUInt64LE()}${any} ${path}${entry & READS ? ' reads' : ''}`;
    }

    [Symbol.dispose](): void {
      this.files[Symbol.dispose]();
      this.paths[Symbol.dispose]();
    }
  }

  const tableOf = (maps: Maps): FileTable => new FileTable(maps as never);
  const bits = (maps: Maps): number =>
    maps.hashes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);

  it('has the path of each identity, and a bit for it', () => {
    using maps = new Maps();
    const table = tableOf(maps);
    assert.ok(
      table.set(
        new Map([
          ['/etc/shadow', file(key(1))],
          ['/etc/passwd', { ...file(key(2)), reads: false }],
        ]),
      ),
    );
    assert.deepEqual(maps.entries(), [
      '1 /etc/shadow reads',
      '1* /etc/shadow reads',
      '2 /etc/passwd',
      '2* /etc/passwd',
    ]);
    assert.equal(bits(maps), 2);
    table.set(new Map([['/etc/passwd', file(key(3))]]));
    assert.deepEqual(maps.entries(), ['3 /etc/passwd reads', '3* /etc/passwd reads']);
    assert.equal(bits(maps), 1);
  });

  it('keeps the identities that a path had before, until another path has them', () => {
    using maps = new Maps();
    const table = tableOf(maps);
    table.set(new Map([['/etc/shadow', file(key(2), key(1))]]));
    assert.deepEqual(maps.entries(), ['1 /etc/shadow reads', '2 /etc/shadow reads', '2* /etc/shadow reads']);
    table.set(
      new Map([
        ['/etc/shadow', file(key(2), key(1))],
        ['/etc/shadow-', file(key(1))],
      ]),
    );
    assert.deepEqual(maps.entries(), [
      '1 /etc/shadow- reads',
      '1* /etc/shadow- reads',
      '2 /etc/shadow reads',
      '2* /etc/shadow reads',
    ]);
  });

  it('removes what an earlier agent has left', () => {
    using maps = new Maps();
    tableOf(maps).set(new Map([['/etc/shadow', file(key(1))]]));
    tableOf(maps);
    assert.deepEqual([maps.entries(), bits(maps)], [[], 0]);
  });

  it('restores entries, paths and hashes that another process has changed', () => {
    using maps = new Maps();
    const table = tableOf(maps);
    table.set(new Map([['/etc/shadow', file(key(1), key(2))]]));
    assert.equal(table.restore(), 0);
    maps.files.remove(key(1) as never);
    maps.files.update(key(2) as never, Buffer.alloc(4) as never);
    maps.files.update(key(3) as never, Buffer.alloc(4) as never);
    maps.paths.update(Buffer.from(Uint32Array.of(1023).buffer) as never, Buffer.alloc(264) as never);
    maps.hashes.fill(0);
    assert.ok(table.restore() >= 4);
    assert.deepEqual(
      [maps.entries(), bits(maps)],
      [['1 /etc/shadow reads', '1* /etc/shadow reads', '2 /etc/shadow reads'], 2],
    );
    assert.equal(table.restore(), 0);
  });

  it('refuses what has no room, and keeps the rest', () => {
    using maps = new Maps();
    const table = tableOf(maps);
    const many = (count: number) => Array.from({ length: count }, (_, n) => [`/f${n}`, file(key(n + 1))] as const);
    assert.equal(table.set(new Map(many(1025))), false);
    assert.equal(maps.entries().length, 2 * 1024);
    assert.equal(table.set(new Map([[`/${'x'.repeat(300)}`, file(key(1))]])), false);
    assert.ok(table.set(new Map(many(1024))));
  });
});
