import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { renderProblem } from '@ringfence/checked-yaml';
import { loadPlaybookFiles, loadPlaybooks, playbookFileSchema } from '../../src/index.ts';
import { stepsSchema } from '../../src/playbook/playbook.ts';
import { tempDir } from '../support.ts';

const HEAD = 'playbook: a\nwhen: { priority: critical }\n';
const withSteps = (steps: string): string => `${HEAD}steps:\n${steps}`;

function problemsOf(text: string): string[] {
  return loadPlaybooks([{ name: 'f.yaml', text }]).problems.map(renderProblem);
}

suite('a playbook file', () => {
  const bad: readonly { readonly description: string; readonly text: string; readonly expected: RegExp }[] = [
    {
      description: 'an unknown key',
      text: withSteps('  - do: kill\n    unless: x\n'),
      expected: /^f\.yaml:5:5: steps\.0: unknown key "unless"\n {6}unless: …\n {6}\^$/,
    },
    {
      description: 'an unknown action',
      text: withSteps('  - do: shoot\n'),
      expected: /^f\.yaml:4:9: steps\.0\.do: /,
    },
    {
      description: 'undo as an action',
      text: withSteps('  - do: undo\n'),
      expected: /^f\.yaml:4:9: steps\.0\.do: /,
    },
    { description: 'no steps', text: `${HEAD}steps: []\n`, expected: /^f\.yaml:3:8: steps: / },
    {
      description: 'more than 32 steps',
      text: withSteps(Array.from({ length: 33 }, (_, i) => `  - { name: s${i}, wait: 1s }\n`).join('')),
      expected: /^f\.yaml:4:3: steps: /,
    },
    {
      description: 'steps that are too long to be kept by a run',
      text: withSteps(`  - { do: block, parameters: ${JSON.stringify(longParameters())} }\n`),
      expected: /more than 16384 characters: a run keeps them, so make them shorter/,
    },
    {
      description: 'a step without do and wait',
      text: withSteps('  - name: nothing\n'),
      expected: /^f\.yaml:4:5: steps\.0: a step needs 'do', 'wait' or both/,
    },
    {
      description: 'two steps of one name',
      text: withSteps('  - do: collect\n  - do: collect\n'),
      expected: /^f\.yaml:5:9: steps\.1\.do: an earlier step is called 'collect': give this one another 'name'/,
    },
    {
      description: 'a condition about a later step, with the place inside of the condition',
      text: withSteps('  - do: suspend\n    if: incident.stages > 2 and kill.outcome = executed\n  - do: kill\n'),
      expected: /^f\.yaml:5:33: steps\.0\.if: .*'kill\.outcome'/,
    },
    {
      description: 'a condition with a misspelt step, and a hint',
      text: withSteps('  - do: suspend\n  - do: kill\n    if: suspendd.outcome = executed\n'),
      expected: /^f\.yaml:6:9: steps\.1\.if: .*hint: Did you mean 'suspend\.outcome'\?/,
    },
    {
      description: 'a value that a run does not have, and a hint',
      text: withSteps('  - do: block\n    parameters: { address: $destination.iq }\n'),
      expected: /^f\.yaml:5:28: .*no value '\$destination\.iq'; hint: Did you mean '\$destination\.ip'\?/,
    },
    {
      description: 'a template that would be evaluated',
      text: withSteps('  - do: block\n    parameters: { address: $destination.ip;reboot }\n'),
      expected: /a run has no value '\$destination\.ip;reboot'/,
    },
    {
      description: 'a control character in a parameter',
      text: withSteps('  - do: block\n    parameters: { address: "1.2.3.4\\u001b[2J" }\n'),
      expected: /expected a text without control characters/,
    },
    {
      description: 'the pid of another process',
      text: withSteps('  - do: collect\n    parameters: { what: memory, pid: 1 }\n'),
      expected: /'pid' comes from the process of the run: leave it out/,
    },
    {
      description: 'a kill for a time',
      text: withSteps('  - do: kill\n    for: 5m\n'),
      expected: /^f\.yaml:5:10: steps\.0\.for: nothing takes 'kill' back after a time/,
    },
    {
      description: 'the suspension of a process alone',
      text: withSteps('  - do: suspend\n    reach: process\n'),
      expected: /children could continue a process alone/,
    },
    {
      description: 'the kill of a host',
      text: withSteps('  - do: kill\n    reach: host\n'),
      expected: /'do: kill' reaches a process, tree, session or cgroup/,
    },
    {
      description: 'three approvals',
      text: withSteps('  - do: kill\n    approve: 3\n'),
      expected: /^f\.yaml:5:14: steps\.0\.approve: /,
    },
    { description: 'no trigger', text: 'playbook: a\nsteps: [{ do: kill }]\n', expected: /^f\.yaml:1:1: when: / },
    {
      description: 'aliases that would unfold to gigabytes',
      text: `${bomb()}${HEAD}steps: *i\n`,
      expected: /^f\.yaml:1:1: the YAML aliases can't be resolved/,
    },
    {
      description: 'nesting without an end',
      text: `steps: ${'['.repeat(200_000)}`,
      expected: /^f\.yaml:1:\d+: not valid YAML/,
    },
    { description: 'a list of scalars', text: '- 1\n- x\n', expected: /^f\.yaml:1:3: / },
  ];
  for (const { description, text, expected } of bad) {
    test(`is refused for ${description}`, () => {
      const [first = ''] = problemsOf(text);
      assert.match(first, expected);
    });
  }

  test('is refused with all its errors at once', () => {
    const problems = problemsOf(withSteps('  - do: kill\n    for: 5m\n    wait: soon\n  - do: shoot\n'));
    assert.equal(problems.length, 2, problems.join('\n'));
  });

  test('that another user can change is refused', () => {
    using dir = tempDir();
    const file = join(dir.path, 'a.yaml');
    writeFileSync(file, withSteps('  - do: kill\n'));
    assert.deepEqual(loadPlaybookFiles([file]).problems, []);
    chmodSync(file, 0o666);
    const { playbooks, problems } = loadPlaybookFiles([file]);
    assert.deepEqual(playbooks, []);
    assert.match(problems[0]?.message ?? '', /can't be read/);
  });

  test('observes unless it says otherwise, and its steps have names and reaches', () => {
    const { playbooks } = loadPlaybooks([
      { name: 'f.yaml', text: withSteps('  - do: suspend\n  - wait: 5m\n  - do: quarantine\n') },
    ]);
    assert.equal(playbooks[0]?.mode, 'observe');
    assert.deepEqual(
      playbooks[0]?.steps.map(({ name, reach }) => [name, reach]),
      [
        ['suspend', 'tree'],
        ['wait_2', 'host'],
        ['quarantine', 'host'],
      ],
    );
  });

  test('gives steps that a run reads again as the same', () => {
    const text = withSteps('  - { do: suspend, for: 5m }\n  - { wait: 3s, if: suspend.outcome = gone, do: kill }\n');
    const steps = loadPlaybooks([{ name: 'f.yaml', text }]).playbooks[0]?.steps;
    assert.ok(steps);
    assert.deepEqual(stepsSchema.parse(JSON.parse(JSON.stringify(steps))), JSON.parse(JSON.stringify(steps)));
  });

  test('has a JSON Schema with every key', () => {
    const text = JSON.stringify(playbookFileSchema(false));
    for (const key of ['playbook', 'scope', 'when', 'per', 'steps', 'approve', 'within', 'on_failure'])
      assert.ok(text.includes(`"${key}"`), key);
    assert.ok(JSON.stringify(playbookFileSchema(true)).includes('"expect"'));
  });
});

function longParameters(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`p${i}`, 'x'.repeat(2000)]));
}

/** Ten times ten times … nine levels deep */
function bomb(): string {
  const names = [...'abcdefghi'];
  const line = (name: string, i: number): string =>
    i === 0 ? `x${name}: &${name} [x]\n` : `x${name}: &${name} [${`*${names[i - 1]},`.repeat(10)}]\n`;
  return names.map(line).join('');
}
