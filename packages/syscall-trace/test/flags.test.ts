import assert from 'node:assert/strict';
import test from 'node:test';
import { nameOfValue } from '../src/flags.ts';

test('flags are named, and bits without a name stay a number', () => {
  assert.equal(nameOfValue('openat', 'flags', 0o102n), 'O_RDWR|O_CREAT');
  assert.equal(nameOfValue('openat', 'flags', 0x4000_0000n), 'O_RDONLY|0x40000000');
  assert.equal(nameOfValue('clone', 'clone_flags', 0x1200011n), 'CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD');
  assert.equal(nameOfValue('mmap', 'prot', 0n), '0');
  assert.equal(nameOfValue('futex', 'op', 0x81n), 'FUTEX_WAKE|FUTEX_PRIVATE_FLAG');
  assert.equal(nameOfValue('x', 'flags', 1n), null);
});
