/** Playbook files and their tests, which people write and copy from others. */
import { loadPlaybooks } from '@ringfence/responder';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzTarget } from '../lib/target.ts';

const GENUINE = `playbook: miner
mode: enforce
scope: { cgroup: /docker/* }
when: { rules: [Connection to a port of mining pools], priority: critical }
steps:
  - do: suspend
    reach: cgroup
    for: 2h
  - do: block
    parameters: { address: $destination.ip }
    on_failure: continue
  - wait: 15m
    if: suspend.outcome = executed and block.outcome in (executed, gone)
    do: kill
    approve: 1
    within: 30m
    on_failure: undo
`;

const PARTS = [
  'steps: *a',
  '&a [',
  '- { do: kill }\n',
  'if: suspend.left > 1e99',
  'if: (((((((',
  'wait: 999999d',
  'parameters: { __proto__: x, path: $process.executable }',
  'parameters: { a: "$$" }',
  'name: constructor',
  'approve: -1',
  'on_failure: undo',
  '<<: *a',
  '!!js/function x',
];

function made(random: Random): string {
  const lines = Array.from({ length: 1 + random.below(8) }, () => `  - ${random.pick(PARTS)}\n`);
  return `playbook: ${JSON.stringify(random.text())}\nwhen: { priority: debug }\nsteps:\n${lines.join('')}`;
}

export const playbooks: FuzzTarget = {
  name: 'playbooks',
  description: 'playbook files',
  shortRuns: 300,
  outcomes: ['accepted', 'refused'],
  memoryMax: 16 << 20,
  open() {
    const load = (text: string): string =>
      loadPlaybooks([{ name: 'fuzz.yaml', text }]).problems.length > 0 ? 'refused' : 'accepted';
    return {
      warmUp: () => void load(GENUINE),
      generate(random) {
        if (random.once(3)) return Buffer.from(made(random));
        if (random.once(2)) return mutate(Buffer.from(GENUINE), random);
        const at = random.below(GENUINE.length);
        return Buffer.from(GENUINE.slice(0, at) + random.pick(PARTS) + GENUINE.slice(at + random.below(4)));
      },
      run: (input) => load(input.toString('utf8')),
      finish() {
        if (load(GENUINE) !== 'accepted') throw new Error('a right playbook is refused');
      },
    };
  },
};
