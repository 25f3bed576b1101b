import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert } from '@ringfence/wire';
import { noteStages } from '../src/graph/chain-entries.ts';
import { addAllOf } from '../src/graph/merging.ts';
import { OPENED } from '../src/incident/reasons.ts';
import { type Chain, type ChainProcess, MAX_PROCESSES, MAX_RULES } from '../src/state/chain.ts';
import { UNTOUCHED } from '../src/state/triage.ts';

const process = (entityId: string, execId = 1): [string, ChainProcess] => [
  entityId,
  { entityId, parentEntityId: '', execId, pid: 1, executable: '/x', args: '', user: '', containerId: '' },
];
const EMPTY = {
  firstSeen: 0,
  lastSeen: 0,
  lastKtime: 0,
  omitted: 0,
  alerts: [],
  stages: [],
  edges: [],
  above: [],
  triage: UNTOUCHED,
} as const;
/** The part of a chain that merging reads */
const chain = (values: Partial<Chain>): Chain =>
  structuredClone({ ...EMPTY, processes: new Map(), rules: {}, ...values }) as unknown as Chain;
const take = (survivor: Chain, absorbed: Chain): void => addAllOf(absorbed, survivor, 100, OPENED);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('a chain with many merged ones keeps to the bound of processes, and actors come before their ancestors', () => {
  const survivor = chain({
    alerts: numbers(100).map((i) => ({ entityId: `actor ${i}` })) as unknown as Chain['alerts'],
  });
  for (const round of numbers(20)) {
    const others = numbers(200).map((i) => process(`${round} other ${i}`));
    const actors = numbers(5).map((i) => process(`actor ${round * 5 + i}`));
    take(survivor, chain({ processes: new Map([...others, ...actors]) }));
  }
  assert.ok(survivor.processes.size <= 2 * MAX_PROCESSES, `${survivor.processes.size}`);
  for (const i of numbers(100)) assert.ok(survivor.processes.has(`actor ${i}`), `${i}`);
});

test('the newest image of a process is kept', () => {
  const survivor = chain({ processes: new Map([process('a', 3), process('b', 1)]) });
  take(survivor, chain({ processes: new Map([process('a', 2), process('b', 2)]) }));
  assert.deepEqual(
    [...survivor.processes.values()].map(({ execId }) => execId),
    [3, 2],
  );
});

test('a chain with many merged ones keeps to the bound of rules, those that matched last', () => {
  const rulesOf = (from: number, count: number): Chain['rules'] =>
    Object.fromEntries(numbers(count).map((i) => [`rule ${from + i}`, { weight: 1, ktime: from + i }]));
  const survivor = chain({ rules: rulesOf(0, 200) });
  take(survivor, chain({ rules: { ...rulesOf(200, 200), 'rule 0': { weight: 1, ktime: 1000 } } }));
  assert.equal(Object.keys(survivor.rules).length, MAX_RULES);
  assert.equal(survivor.rules['rule 0']?.ktime, 1000);
  assert.ok('rule 399' in survivor.rules && !('rule 1' in survivor.rules));
});

test('stages are in the order first seen, also after a merge and with late alerts', () => {
  const stage = (tactic: string, firstSeen: number): Chain['stages'][number] => ({ tactic, techniques: [], firstSeen });
  const alert = (tactic: string, timestamp: number) =>
    ({ tactics: [tactic], techniques: [], timestamp }) as unknown as Alert;
  const survivor = chain({ stages: [stage('discovery', 1), stage('impact', 9)] });
  take(survivor, chain({ stages: [stage('execution', 2), stage('impact', 3)] }));
  const seen = (): unknown => survivor.stages.map(({ tactic, firstSeen }) => [tactic, firstSeen]);
  assert.deepEqual(seen(), [
    ['discovery', 1],
    ['execution', 2],
    ['impact', 3],
  ]);
  assert.equal(noteStages(survivor, alert('impact', 0)), true);
  assert.equal(noteStages(survivor, alert('execution', 5)), false);
  assert.deepEqual(seen(), [
    ['impact', 0],
    ['discovery', 1],
    ['execution', 2],
  ]);
});
