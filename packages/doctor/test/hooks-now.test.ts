import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceStatus } from '@ringfence/runtime/status';
import { fixOf } from '../src/hooks.ts';
import { checkHooksNow } from '../src/hooks-now.ts';

const detector: ServiceStatus = { name: 'detector', lag: 0, stats: {} };
const agent = (stats: object): { services: ServiceStatus[] } => ({
  services: [detector, { name: 'collector', lag: 0, stats }],
});

test('the agent that runs is asked which hooks it lacks and tries again; without any, or without an agent, nothing is red', () => {
  const [whole] = checkHooksNow(agent({ hooks: 171, retriedHooks: [] }));
  assert.deepEqual([whole?.ok, whole?.found], [true, '171 hooks in place']);
  const [lacking, ...more] = checkHooksNow(agent({ hooks: 170, retriedHooks: ['connect4'] }));
  assert.deepEqual([lacking?.ok, more], [false, []]);
  assert.match(lacking?.found ?? '', /^170 hooks in place, not connect4/);
  assert.equal(lacking?.fix, 'systemctl restart ringfence');
  assert.deepEqual(checkHooksNow(null), []);
  assert.deepEqual(checkHooksNow({ services: [detector] }), []);
});

test('who has the places of a cgroup is shown by a command that can be copied', () => {
  const E2BIG = 7;
  assert.equal(fixOf({ errno: E2BIG }, 'cgroup/connect4'), 'bpftool cgroup show /sys/fs/cgroup');
});
