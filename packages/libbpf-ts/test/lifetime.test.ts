/** Views of mapped memory after unmapping, moving, resizing and transferring it. A mistake kills the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { BpfObject } from '../src/index.ts';
import { compile, scratch, skip } from './kernel.ts';

const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('bpf-map').length - 1;

describe('mapped memory', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let maps: string;
  let rings: string;
  before(() => {
    directory = scratch();
    maps = compile('every-map', directory.path);
    rings = compile('ring', directory.path);
  });
  after(() => directory[Symbol.dispose]());

  test('views of unmapped memory are empty, also when new memory has its address', () => {
    const addresses = (): string[] => readFileSync('/proc/self/maps', 'utf8').match(/^\S+(?=.*bpf-map)/gm) ?? [];
    const used = new Set<string>();
    let reused = 0;
    for (let round = 0; round < 20; round++) {
      using object = BpfObject.open(maps).load();
      for (const address of addresses()) {
        if (used.has(address)) reused++;
        used.add(address);
      }
      const memory = object.map('mapped').memory();
      const section = object.section('.bss');
      const name = [...section.variables.keys()][0] ?? '';
      const views = [new Uint8Array(memory.buffer), section.bytes(name), section.int32(name)];
      memory[Symbol.dispose]();
      object[Symbol.dispose]();
      using other = BpfObject.open(maps).load();
      new BigUint64Array(other.map('mapped').memory().buffer).fill(0x5ec2e7n);
      for (const view of views) assert.deepEqual([view.length, view[0]], [0, undefined]);
    }
    assert.ok(reused > 0, 'no address was used twice');
  });

  test('views of initial values are empty after load, which moves them', () => {
    using object = BpfObject.open(maps);
    const section = object.section('.bss');
    const name = [...section.variables.keys()][0] ?? '';
    const early = section.bytes(name);
    assert.ok(early.length > 0);
    object.load();
    assert.equal(early.length, 0);
    assert.ok(section.bytes(name).length > 0);
  });

  test('a resized ring is mapped with its new size, to its last byte', () => {
    using object = BpfObject.open(rings);
    object.definition('ring').resize(1 << 16);
    object.load();
    using ring = object.map('ring').ringBuffer({ recordMaxBytes: 4096 });
    assert.deepEqual([ring.size, ring.bytes.length], [1 << 16, (1 << 16) + 4096]);
    assert.equal(ring.bytes.at(-1), 0);
    assert.throws(() => object.definition('ring').resize(1 << 20), { code: 'ERR_BPF_MAP' });
  });

  test('memory can be transferred to no other thread, and stays mapped for a buffer that took it over', () => {
    using object = BpfObject.open(maps).load();
    const memory = object.map('mapped').memory();
    assert.throws(() => structuredClone(memory.buffer, { transfer: [memory.buffer] }), { name: 'DataCloneError' });
    new BigUint64Array(memory.buffer).fill(7n);
    const before = mappings();
    const owner = memory.buffer.transfer();
    memory[Symbol.dispose]();
    assert.equal(mappings(), before);
    assert.equal(new BigUint64Array(owner)[0], 7n);
  });

  test('a child process inherits no map, descriptor or mapping', () => {
    using object = BpfObject.open(rings).load();
    using ring = object.map('ring').ringBuffer();
    assert.ok(ring.size > 0 && mappings() > 0);
    const { stdout } = spawnSync('sh', ['-c', 'ls -l /proc/$$/fd; cat /proc/$$/maps'], { encoding: 'utf8' });
    assert.match(stdout, /\[stack\]/);
    assert.doesNotMatch(stdout, /bpf/);
  });
});
