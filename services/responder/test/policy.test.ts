import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { renderProblem } from '@ringfence/checked-yaml';
import { loadPolicies, loadPolicyFiles } from '../src/index.ts';
import type { Policy, Subject } from '../src/policy/policy.ts';
import { PolicySet } from '../src/policy/policy-set.ts';
import { tempDir } from './support.ts';

const subject: Subject = {
  rule: 'Reverse shell',
  priority: 'error',
  tactics: ['command-and-control'],
  action: 'alert',
  hostId: 'host-1',
  cgroupPath: '/docker/abc',
  image: 'shop/web:1.4',
  incident: null,
};

function policy(overrides: Partial<Policy>): Policy {
  return {
    policy: 'p',
    desc: '',
    mode: 'enforce',
    scope: {},
    when: { priority: 'debug' },
    do: 'kill',
    reach: 'tree',
    ...overrides,
  };
}

suite('a policy file', () => {
  const bad: readonly { readonly description: string; readonly text: string; readonly expected: RegExp }[] = [
    {
      description: 'an unknown key',
      text: 'policy: a\nmode: observe\nwhen: {action: kill}\ndo: kill\nwhere: x\n',
      expected: /^f\.yaml:5:1: unknown key "where"$/,
    },
    {
      description: 'an unknown key in the scope',
      text: 'policy: a\nmode: observe\nscope:\n  cgroups: /x\nwhen: {action: kill}\ndo: kill\n',
      expected: /^f\.yaml:4:3: scope: unknown key "cgroups"$/,
    },
    {
      description: 'an unknown mode',
      text: 'policy: a\nmode: strict\nwhen: {action: kill}\ndo: kill\n',
      expected: /^f\.yaml:2:7: mode: /,
    },
    {
      description: 'no condition',
      text: 'policy: a\nmode: observe\nwhen: {}\ndo: kill\n',
      expected: /^f\.yaml:3:7: when: expected at least one of/,
    },
    {
      description: 'a star in the middle',
      text: "policy: a\nmode: observe\nscope: {cgroup: '/a*/b'}\nwhen: {action: kill}\ndo: kill\n",
      expected: /^f\.yaml:3:17: scope\.cgroup: expected an absolute cgroup path/,
    },
    {
      description: 'an unknown tactic',
      text: 'policy: a\nmode: enforce\nwhen: {tactics: [execution, comand-and-control]}\ndo: kill\n',
      expected:
        /^f\.yaml:3:29: when\.tactics\.1: 'comand-and-control' is not an ATT&CK tactic: expected reconnaissance, /,
    },
    {
      description: 'no `do`',
      text: 'policy: a\nmode: observe\nwhen: {action: kill}\n',
      expected: /^f\.yaml:1:1: do: /,
    },
    {
      description: 'an unknown `do`',
      text: 'policy: a\nmode: observe\nwhen: {action: kill}\ndo: pause\n',
      expected: /^f\.yaml:4:5: do: /,
    },
    { description: 'broken YAML', text: 'policy: "a\n', expected: /^f\.yaml:\d+:\d+: not valid YAML: / },
    {
      description: 'the same name twice',
      text: '- {policy: a, mode: observe, when: {action: kill}, do: kill}\n- {policy: a, mode: enforce, when: {action: kill}, do: kill}\n',
      expected: /^f\.yaml:2:3: a policy is called "a" already/,
    },
    {
      description: 'an action together with an incident',
      text: 'policy: a\nmode: observe\nwhen:\n  action: kill\n  incident: {stages: 3}\ndo: kill\n',
      expected: /^f\.yaml:4:11: when\.action: the alerts of an incident don't have/,
    },
  ];
  for (const { description, text, expected } of bad) {
    test(`with ${description} is refused with file, line, column and reason`, () => {
      const { problems } = loadPolicies([{ name: 'f.yaml', text }]);
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const [head = ''] = problems.map(renderProblem).join('\n').split('\n');
      assert.match(head, expected);
    });
  }

  test('may hold a list, and a broken policy leaves the others in force', () => {
    const text =
      '- {policy: a, mode: observe, when: {action: kill}, do: kill}\n- {policy: b, mode: no, when: {action: kill}, do: kill}\n';
    const { policies, problems } = loadPolicies([{ name: 'f.yaml', text }]);
    assert.deepEqual(
      policies.map(({ policy: name }) => name),
      ['a'],
    );
    assert.equal(problems.length, 1);
  });

  test('may name a tactic as in ATT&CK v18, or by its number', () => {
    const text =
      'policy: a\nmode: enforce\nwhen: {tactics: [Defense-Evasion, command_and_control, TA0040]}\ndo: kill\n';
    const { policies, problems } = loadPolicies([{ name: 'f.yaml', text }]);
    assert.deepEqual(problems, []);
    assert.deepEqual(policies[0]?.when.tactics, ['stealth', 'defense-impairment', 'command-and-control', 'impact']);
  });

  test('with a bomb of aliases is refused, and its name is escaped for the terminal', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}\n`;
    const [problem] = loadPolicies([{ name: 'f\x1b[2J.yaml', text: bomb }]).problems;
    assert.ok(problem !== undefined);
    assert.ok(!renderProblem(problem).includes('\x1b'));
  });

  test('is found in a directory, and a missing file is a problem', () => {
    using dir = tempDir();
    mkdirSync(join(dir.path, 'policies'));
    writeFileSync(join(dir.path, 'policies', 'x.yaml'), 'policy: x\nmode: observe\nwhen: {action: kill}\ndo: kill\n');
    const { policies, problems } = loadPolicyFiles([join(dir.path, 'policies'), join(dir.path, 'none.yaml')]);
    assert.deepEqual(
      policies.map(({ policy: name }) => name),
      ['x'],
    );
    assert.match(problems.map(renderProblem).join(), /none\.yaml:1:1: the file can't be read: ENOENT/);
  });
});

suite('a policy applies', () => {
  const cases: readonly {
    readonly description: string;
    readonly given: Partial<Policy>;
    readonly expected: boolean;
  }[] = [
    { description: 'at its priority', given: { when: { priority: 'error' } }, expected: true },
    { description: 'not below its priority', given: { when: { priority: 'critical' } }, expected: false },
    { description: 'to a rule it names', given: { when: { rules: ['X', 'Reverse shell'] } }, expected: true },
    { description: 'not to another rule', given: { when: { rules: ['Reverse'] } }, expected: false },
    { description: 'to a tactic it names', given: { when: { tactics: ['command-and-control'] } }, expected: true },
    {
      description: 'only when all its conditions hold',
      given: { when: { tactics: ['command-and-control'], rules: ['X'] } },
      expected: false,
    },
    { description: 'in an image it names', given: { scope: { 'container.image': 'shop/*' } }, expected: true },
    { description: 'not in another image', given: { scope: { 'container.image': 'shop' } }, expected: false },
    { description: 'on its host', given: { scope: { host: 'host-1' } }, expected: true },
    { description: 'not on another host', given: { scope: { host: 'host-2' } }, expected: false },
    { description: 'not to an alert when it looks at incidents', given: { when: { incident: {} } }, expected: false },
  ];
  for (const { description, given, expected } of cases) {
    test(description, () => {
      assert.equal(new PolicySet([policy(given)], 'observe').judge(subject) !== undefined, expected);
    });
  }

  test('to no subject with an unknown cgroup or image, if its scope names them', () => {
    const unknown = { ...subject, cgroupPath: '', image: '' };
    for (const scope of [{ cgroup: '/*' }, { 'container.image': '*' }])
      assert.equal(new PolicySet([policy({ scope })], 'observe').judge(unknown), undefined);
  });
});

suite('of several policies that apply', () => {
  const judge = (...policies: Policy[]) => new PolicySet(policies, 'observe').judge(subject)?.policy;

  test('the policy with the narrower scope is followed, even when it only observes', () => {
    const wide = policy({ policy: 'wide', scope: { cgroup: '/*' } });
    const exception = policy({ policy: 'exception', mode: 'observe', scope: { cgroup: '/*', host: 'host-1' } });
    assert.equal(judge(wide, exception), 'exception');
    assert.equal(judge(policy({ policy: 'all' }), wide), 'wide');
  });

  test('the policy with the longer cgroup is followed', () => {
    const docker = policy({ policy: 'docker', mode: 'observe', scope: { cgroup: '/docker/*' } });
    assert.equal(judge(policy({ policy: 'any', scope: { cgroup: '/*' } }), docker), 'docker');
  });

  test('with equal scopes, the policy that enforces is followed', () => {
    assert.equal(judge(policy({ policy: 'a', mode: 'observe' }), policy({ policy: 'b' })), 'b');
  });
});
