import assert from 'node:assert/strict';
import test from 'node:test';
import { fixOf } from '../src/hooks.ts';

const E2BIG = 7;

test('a full cgroup is fixed by a command that lists its programs', () => {
  assert.equal(fixOf({ errno: E2BIG }, 'cgroup/connect4'), 'bpftool cgroup show /sys/fs/cgroup');
});
