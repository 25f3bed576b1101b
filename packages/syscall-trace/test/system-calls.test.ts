import assert from 'node:assert/strict';
import test from 'node:test';
import { callNames } from '@ringfence/fields';
import { numbersOf, parseArguments, READ } from '../src/system-calls.ts';

function format(...fields: string[]): string {
  const common = ['unsigned short common_type', 'int common_pid', 'int __syscall_nr'];
  const lines = [...common, ...fields].map((field, at) => `\tfield:${field};\toffset:${at * 8};\tsize:8;\tsigned:0;`);
  return `name: sys_enter_x\nID: 1\nformat:\n${lines.join('\n')}\n\nprint fmt: "x"`;
}

test('the format of a call tells strings, input buffers with a length, and output buffers from numbers', () => {
  const read = (call: string, ...fields: string[]) =>
    parseArguments(format(...fields), call).map((argument) => argument.read);
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

test('calls have the numbers of the architecture', () => {
  assert.equal(callNames('x64').get(257), 'openat');
  assert.equal(callNames('x64').get(59), 'execve');
  assert.equal(callNames('x64').get(462), 'mseal');
  assert.equal(callNames('arm64').get(56), 'openat');
  assert.equal(callNames('arm64').get(221), 'execve');
  assert.equal(callNames('arm64').get(462), 'mseal');
  assert.equal(callNames('mips').size, 0);
});

test('an unknown call is refused, with similar names', () => {
  const calls = new Map([[5, { number: 5, name: 'openat', arguments: [] }]]);
  assert.deepEqual([...numbersOf(['openat'], calls)], [5]);
  assert.throws(
    () => numbersOf(['open'], calls),
    /--syscall open: there is no such system call; did you mean openat\?/,
  );
  assert.throws(() => numbersOf([''], calls), /there is no such system call$/);
});
