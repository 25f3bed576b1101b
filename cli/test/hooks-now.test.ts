import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixOf } from '../src/doctor/hooks.ts';
import { checkHooksNow } from '../src/doctor/hooks-now.ts';

function agent(status: object | undefined): Parameters<typeof checkHooksNow>[0] {
  return {
    running: async () => status !== undefined,
    json: async <T>() => status as T,
  };
}

const collector = (stats: object): object => ({ services: [{ name: 'detector' }, { name: 'collector', stats }] });

test('the agent that runs is asked which hooks it lacks and tries again; without any, or without an agent, nothing is red', async () => {
  const [whole] = await checkHooksNow(agent(collector({ hooks: 171, retriedHooks: [] })));
  assert.deepEqual([whole?.ok, whole?.found], [true, '171 hooks in place']);
  const [lacking, ...more] = await checkHooksNow(agent(collector({ hooks: 170, retriedHooks: ['connect4'] })));
  assert.deepEqual([lacking?.ok, more], [false, []]);
  assert.match(lacking?.found ?? '', /^170 hooks in place, not connect4/);
  assert.equal(lacking?.fix, 'systemctl restart ringfence');
  assert.deepEqual(await checkHooksNow(agent(undefined)), []);
  assert.deepEqual(await checkHooksNow(agent({ services: [{ name: 'detector' }] })), []);
});

test('who has the places of a cgroup is shown by a command that can be copied', () => {
  const E2BIG = 7;
  assert.equal(fixOf({ errno: E2BIG }, 'cgroup/connect4'), 'bpftool cgroup show /sys/fs/cgroup');
});
