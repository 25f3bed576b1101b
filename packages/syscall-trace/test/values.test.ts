import assert from 'node:assert/strict';
import test from 'node:test';
import { STATE } from '../src/record.ts';
import { READ, type SystemCall } from '../src/system-calls.ts';
import { argumentValue, escaped, failureOf } from '../src/values.ts';

const NONE = { bytes: Buffer.alloc(0), state: STATE.none };

function shown(type: string, name: string, raw: bigint, call = 'x'): string {
  const system: SystemCall = { number: 1, name: call, arguments: [{ name, type, read: READ.number }] };
  const value = argumentValue(system, 0, raw, NONE, 48);
  return value.kind === 'number' ? String(value.number) : value.kind === 'word' ? value.word : '';
}

test('numbers are shown as their declared type', () => {
  assert.equal(shown('int', 'x', 0xffff_ffffn), '-1');
  assert.equal(shown('unsigned int', 'x', 0xffff_ffffn), '4294967295');
  assert.equal(shown('unsigned long', 'fd', 0xffff_ffffn), '-1');
  assert.equal(shown('int', 'dfd', 0xffff_ff9cn), 'AT_FDCWD');
  assert.equal(shown('umode_t', 'mode', 0o644n), '0644');
  assert.equal(shown('void *', 'p', 0n), 'NULL');
  assert.equal(shown('void *', 'p', 0x7fffn), '0x7fff');
  assert.equal(shown('loff_t', 'pos', 0xffff_ffff_ffff_ffffn), '-1');
  assert.equal(shown('int', 'sig', 9n, 'kill'), 'SIGKILL');
});

test('control characters in a text are escaped', () => {
  assert.equal(escaped(Buffer.from('a\x1b[2J\n"\\é\u202e')), 'a\\x1b[2J\\n\\"\\\\é\\u202e');
  assert.equal(escaped(Buffer.from([0x61, 0xff, 0x00])), 'a\\xff\\x00');
});

test('socket addresses are decoded', () => {
  const type = 'struct sockaddr *';
  const call: SystemCall = { number: 1, name: 'bind', arguments: [{ name: 'a', type, read: READ.input }] };
  const text = (bytes: number[]) => {
    const value = argumentValue(call, 0, 1n, { bytes: Buffer.from(bytes), state: STATE.whole }, 48);
    return value.kind === 'word' ? value.word : '';
  };
  const port = [0, 80, 0, 0, 0, 0];
  assert.equal(text([2, 0, 0, 80, 127, 0, 0, 1]), '{AF_INET 127.0.0.1:80}');
  assert.equal(text([10, 0, ...port, ...Array<number>(15).fill(0), 1, 0, 0, 0, 0]), '{AF_INET6 [::1]:80}');
  assert.equal(text([10, 0, ...port, 0xfe, 0x80, ...Array<number>(13).fill(0), 1]), '{AF_INET6 [fe80::1]:80}');
  assert.equal(text([10, 0, ...port, ...Array<number>(16).fill(0)]), '{AF_INET6 [::]:80}');
  assert.equal(text([1, 0, 0x2f, 0x61, 0, 9]), '{AF_UNIX "/a"}');
  assert.equal(text([1, 0, 0, 0x61]), '{AF_UNIX "\\x00a"}');
  assert.equal(text([1]), '{}');
});

test('results that are errors are named', () => {
  assert.deepEqual(failureOf(-2n), { name: 'ENOENT', text: 'no such file or directory' });
  assert.equal(failureOf(-512n)?.name, 'ERESTARTSYS');
  assert.equal(failureOf(-4000n)?.name, 'error 4000');
  assert.equal(failureOf(-5000n), null);
  assert.equal(failureOf(3n), null);
});
