import assert from 'node:assert/strict';
import test from 'node:test';
import { familyOf, fullFamilyOf } from '../src/hook-families.ts';

test('hooks of both profiles that see the same kind of event are one family', () => {
  for (const [section, hook] of [
    ['tracepoint/syscalls/sys_exit_openat', 'file_open'],
    ['tracepoint/syscalls/sys_exit_renameat2', 'path_rename'],
    ['tracepoint/syscalls/sys_exit_mount', 'sb_mount'],
    ['tracepoint/syscalls/sys_exit_bpf', 'bpf'],
  ] as const) {
    assert.ok(familyOf(section) !== undefined, section);
    assert.equal(familyOf(section), fullFamilyOf(hook), section);
  }
});

test('a section or hook of no family is not found', () => {
  assert.deepEqual([familyOf('unknown'), fullFamilyOf('unknown')], [undefined, undefined]);
});
