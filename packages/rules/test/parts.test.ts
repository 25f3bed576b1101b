/** Warnings about parts of a rule: excuses, sequences that mix strangers, values that a field never has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules, lintRules } from '../src/index.ts';

const OWN: ReadonlySet<string> = new Set(['excuse', 'host-join', 'impossible-value']);

function warningsOf(condition: string, more = ''): string[] {
  const text = `- rule: R\n  desc: d\n  condition: >\n    ${condition}\n${more}`;
  const set = compileRules({ sources: [{ name: 'r.yaml', text }], catalogue, kinds: eventKinds });
  assert.deepEqual(
    set.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  return lintRules(set)
    .filter(({ code }) => OWN.has(code))
    .map(({ code, message }) => `${code}: ${message.replace(/^.*make hold: /, '')}`);
}

const EXEC = 'event.action = exec and process.name = curl';

describe('an excuse that an attacker can write is reported', () => {
  it('unless the rule gives a reason', () => {
    const condition = `${EXEC} and not process.args = -d`;
    assert.deepEqual(warningsOf(condition, '  excuses: curl -d sends, and another rule covers that\n'), []);
    assert.equal(warningsOf(condition, "  excuses: ''\n").length, 1);
  });

  for (const [title, condition, text] of [
    ['a word of the command line', 'not process.command_line contains pip', "process.command_line contains 'pip'"],
    ['an argument', 'not process.args = --help', "process.args = '--help'"],
    ['an inequality', 'process.working_directory != /srv', undefined],
    ['a name', 'not process.parent.name in (make, ninja)', "process.parent.name in ('make', 'ninja')"],
    [
      'a folder that anyone may write to',
      'not process.executable startswith /tmp/build',
      "process.executable startswith '/tmp/build'",
    ],
    [
      'an expression that leaves room',
      "not process.command_line regex '^curl .*localhost'",
      "process.command_line regex '^curl .*localhost'",
    ],
    [
      'two names that are both needed',
      'not (process.name = curl and process.parent.name = make)',
      "process.name = 'curl'",
    ],
  ] as const)
    it(title, () => {
      const found = warningsOf(`${EXEC} and ${condition}`);
      assert.deepEqual(found, text === undefined ? [] : [`excuse: ${text}`]);
    });

  it('in a step of a sequence', () => {
    const steps = `[ ${EXEC} and not process.args = x ] [ event.action = connect ]`;
    assert.deepEqual(warningsOf(`sequence by process.entity_id with maxspan=1m ${steps}`), [
      "excuse: process.args = 'x'",
    ]);
  });
});

describe('what an attacker can not write is no excuse', () => {
  for (const condition of [
    'not process.args[2] exists',
    'not user.id = 0',
    'not container.image.repository = shop/web',
    'not process.executable pmatch (/usr, /opt)',
    'not (process.executable pmatch /usr and process.name = curl)',
    "not process.command_line regex '^curl -s https://[a-z.]+$'",
    'process.executable pmatch /usr and not process.name = curl',
    'not process.command_line = "curl https://localhost"',
  ])
    it(condition, () => assert.deepEqual(warningsOf(`event.action = exec and user.id = 1000 and ${condition}`), []));
});

describe('a sequence', () => {
  it('that joins by host alone mixes strangers', () => {
    const steps = '[ event.action = exec and process.name = a ] [ event.action = exec and process.name = b ]';
    const [found = ''] = warningsOf(`sequence by host.id with maxspan=1m ${steps}`);
    assert.match(found, /^host-join: the steps of rule 'R' have only the host in common/);
  });

  it('that compares with an earlier step does not', () => {
    const steps =
      '[ event.action = open and file.open.write ] as $w [ event.action = exec and process.executable = $w.file.path ]';
    assert.deepEqual(warningsOf(`sequence by host.id with maxspan=1m ${steps}`), []);
  });
});

describe('a value that a field never has is reported', () => {
  it('a path without a slash', () =>
    assert.deepEqual(warningsOf('event.action = open and file.path in (/etc/passwd, etc/shadow)'), [
      "impossible-value: in rule 'R' 'file.path' never is 'etc/shadow': it begins with a slash",
    ]));

  it('a name longer than the kernel keeps', () => {
    const text = `- rule: R
  desc: d
  condition: evt.type = execve and proc.name = a-name-of-more-than-15
  output: "%proc.name"
  priority: INFO
`;
    const set = compileRules({ sources: [{ name: 'falco.yaml', text }], catalogue, kinds: eventKinds });
    assert.deepEqual(
      lintRules(set).map(({ message }) => message),
      ["in rule 'R' 'proc.name' never is 'a-name-of-more-than-15': it has at most 15 characters"],
    );
  });

  it('but not the name of a pipe', () =>
    assert.deepEqual(warningsOf("event.action = open and file.path startswith 'pipe:['"), []));
});
