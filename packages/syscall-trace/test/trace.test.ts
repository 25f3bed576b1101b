import assert from 'node:assert/strict';
import test from 'node:test';
import { callNames } from '@ringfence/fields';
import { numbersOf, parseArguments, READ, type SystemCall } from '../src/calls.ts';
import { inWords } from '../src/flags.ts';
import { Pairs } from '../src/pairs.ts';
import { KIND, STATE, type TraceRecord } from '../src/record.ts';
import { summaryTable } from '../src/summary.ts';
import { argumentValue, escaped, failureOf } from '../src/value.ts';

const NONE = { bytes: Buffer.alloc(0), state: STATE.none };

function format(...fields: string[]): string {
  const common = ['unsigned short common_type', 'int common_pid', 'int __syscall_nr'];
  const lines = [...common, ...fields].map((field, at) => `\tfield:${field};\toffset:${at * 8};\tsize:8;\tsigned:0;`);
  return `name: sys_enter_x\nID: 1\nformat:\n${lines.join('\n')}\n\nprint fmt: "x"`;
}

function record(changes: Partial<TraceRecord>): TraceRecord {
  const texts = Array.from({ length: 6 }, () => NONE);
  const base = { kind: KIND.enter, time: 0n, tgid: 1, tid: 1, number: 0, compat: false, last: false, name: 'x' };
  return { ...base, result: 0n, arguments: [0n, 0n, 0n, 0n, 0n, 0n], texts, ...changes };
}

function shown(type: string, name: string, raw: bigint, call = 'x'): string {
  const system: SystemCall = { number: 1, name: call, arguments: [{ name, type, read: READ.number }] };
  const value = argumentValue(system, 0, raw, NONE, 48);
  return value.kind === 'number' ? String(value.number) : value.kind === 'word' ? value.word : '';
}

test("the kernel's formats say what is text, what is measured, and what the kernel fills", () => {
  const read = (call: string, ...fields: string[]) => parseArguments(format(...fields), call).map((one) => one.read);
  assert.deepEqual(read('openat', 'int dfd', 'const char * filename', 'int flags'), [0, READ.string, 0]);
  assert.deepEqual(read('write', 'unsigned int fd', 'const char * buf', 'size_t count'), [0, READ.input, 0]);
  assert.deepEqual(read('read', 'unsigned int fd', 'char * buf', 'size_t count'), [0, READ.output, 0]);
  assert.deepEqual(read('mount', 'char * dev_name', 'char * dir_name'), [READ.string, READ.string]);
  assert.deepEqual(read('execve', 'const char *const * argv', 'const char *const * envp'), [READ.strings, 0]);
  assert.deepEqual(read('bind', 'int fd', 'struct sockaddr * umyaddr', 'int addrlen'), [0, READ.input, 0]);
  assert.deepEqual(read('accept', 'struct sockaddr * upeer_sockaddr', 'int * upeer_addrlen'), [0, 0]);
  assert.deepEqual(
    parseArguments(format('const char *const * argv'), 'execve').map(({ name, type }) => `${type}${name}`),
    ['const char *const *argv'],
  );
});

test('numbers of calls are those of the architecture', () => {
  assert.equal(callNames('x64').get(257), 'openat');
  assert.equal(callNames('x64').get(59), 'execve');
  assert.equal(callNames('x64').get(462), 'mseal');
  assert.equal(callNames('arm64').get(56), 'openat');
  assert.equal(callNames('arm64').get(221), 'execve');
  assert.equal(callNames('arm64').get(462), 'mseal');
  assert.equal(callNames('mips').size, 0);
});

test('a call that does not exist is told from those that do', () => {
  const calls = new Map([[5, { number: 5, name: 'openat', arguments: [] }]]);
  assert.deepEqual([...numbersOf(['openat'], calls)], [5]);
  assert.throws(
    () => numbersOf(['open'], calls),
    /--syscall open: there is no such system call; did you mean openat\?/,
  );
  assert.throws(() => numbersOf([''], calls), /there is no such system call$/);
});

test('numbers are read as what they are declared to be', () => {
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

test('flags are named, and what has no name stays a number', () => {
  assert.equal(inWords('openat', 'flags', 0o102n), 'O_RDWR|O_CREAT');
  assert.equal(inWords('openat', 'flags', 0x4000_0000n), 'O_RDONLY|0x40000000');
  assert.equal(inWords('clone', 'clone_flags', 0x1200011n), 'CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD');
  assert.equal(inWords('mmap', 'prot', 0n), '0');
  assert.equal(inWords('futex', 'op', 0x81n), 'FUTEX_WAKE|FUTEX_PRIVATE_FLAG');
  assert.equal(inWords('x', 'flags', 1n), null);
});

test('text gives no orders to a terminal', () => {
  assert.equal(escaped(Buffer.from('a\x1b[2J\n"\\é\u202e')), 'a\\x1b[2J\\n\\"\\\\é\\u202e');
  assert.equal(escaped(Buffer.from([0x61, 0xff, 0x00])), 'a\\xff\\x00');
});

test('addresses of sockets are readable', () => {
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

test('results that are errors have names', () => {
  assert.deepEqual(failureOf(-2n), { name: 'ENOENT', text: 'no such file or directory' });
  assert.equal(failureOf(-512n)?.name, 'ERESTARTSYS');
  assert.equal(failureOf(-4000n)?.name, 'error 4000');
  assert.equal(failureOf(-5000n), null);
  assert.equal(failureOf(3n), null);
});

test('entry and end are one call, however their records come', () => {
  const pairs = new Pairs();
  assert.deepEqual(pairs.add(record({ number: 3, time: 5n })), []);
  const [whole] = pairs.add(record({ kind: KIND.exit, number: 3, time: 9n, result: 1n }));
  assert.ok(whole !== undefined && 'call' in whole);
  assert.deepEqual([whole.call.result, whole.call.duration], [1n, 4n]);
  const [late] = pairs.add(record({ kind: KIND.exit, number: 4, time: 9n, result: 2n }));
  assert.ok(late !== undefined && 'call' in late);
  assert.deepEqual([late.call.record.number, late.call.duration], [4, null]);
  pairs.add(record({ number: 5 }));
  assert.equal(pairs.add(record({ number: 6 })).length, 1, 'the end of 5 was lost');
  assert.equal(
    pairs.add(record({ kind: KIND.gone, last: true })).length,
    2,
    '6 never returns, and the process is gone',
  );
  assert.equal(pairs.rest().length, 0);
  pairs.add(record({ number: 15 }));
  const [back] = pairs.add(record({ kind: KIND.exit, number: 0xffff_ffff, result: 7n }));
  assert.ok(back !== undefined && 'call' in back && back.call.record.number === 15, 'sigreturn');
});

test('text that was not in memory at the entry is taken from the end', () => {
  const pairs = new Pairs();
  const unread = [{ bytes: Buffer.alloc(0), state: STATE.unreadable }];
  pairs.add(record({ texts: unread }));
  const [one] = pairs.add(record({ kind: KIND.exit, texts: [{ bytes: Buffer.from('x'), state: STATE.whole }] }));
  assert.ok(one !== undefined && 'call' in one && one.call.texts[0]?.bytes.toString() === 'x');
});

test('a summary of nothing is a table all the same', () => {
  assert.match(summaryTable([]), /^% time .*\n +0\.00 +0\.000000 +0 +0 +total$/);
});
