import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceStatus } from '@ringfence/runtime/status';
import { checkRunningAgent } from '../src/running-agent.ts';

const detector: ServiceStatus = { name: 'detector', lag: 0, stats: {} };
const agent = (stats: object): { services: ServiceStatus[] } => ({
  services: [detector, { name: 'collector', lag: 0, stats }],
});

test('missing hooks of the running agent fail the check; an agent with all hooks passes, and no agent is no check', () => {
  const [complete] = checkRunningAgent(agent({ hooks: 171, retriedHooks: [] }));
  assert.deepEqual([complete?.ok, complete?.found], [true, '171 hooks attached']);
  const [lacking, ...rest] = checkRunningAgent(agent({ hooks: 170, retriedHooks: ['connect4'] }));
  assert.deepEqual([lacking?.ok, rest], [false, []]);
  assert.match(lacking?.found ?? '', /^170 hooks attached, missing connect4/);
  assert.equal(lacking?.fix, 'systemctl restart ringfence');
  assert.deepEqual(checkRunningAgent(null), []);
  assert.deepEqual(checkRunningAgent({ services: [detector] }), []);
});
