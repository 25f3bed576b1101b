/** Witnesses: events that make a rule match, or the reason why there are none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Judge } from '../src/events/judge.ts';
import { runTests } from '../src/test.ts';
import { type WitnessedRule, witnessesOf, witnessTests } from '../src/witness/report.ts';
import { Witnesses } from '../src/witness/witness.ts';

const sourceOf = (text: string) => ({ name: 'rules.yaml', text });
const ruleOf = (condition: string, more = ''): string => `- rule: R\n  condition: >\n    ${condition}\n${more}`;

function witnessOf(condition: string, more?: string): WitnessedRule {
  const source = sourceOf(ruleOf(condition, more));
  const [witnessed] = witnessesOf({ sources: [source], asked: new Set([source.name]) }, undefined);
  assert.ok(witnessed !== undefined, 'the rule has no errors');
  return witnessed;
}

const FOUND: readonly (readonly [title: string, condition: string, more?: string])[] = [
  ['a name and a folder', 'event.action = exec and process.name = nc and process.executable startswith /opt/'],
  [
    'a regular expression with anchors',
    "event.action = exec and process.command_line regex '^sh -c .{3,}\\|\\s*(ba|da)sh$'",
  ],
  [
    'arguments by index beside the whole line',
    "event.action = exec and process.args[1] startswith '-' and process.args[1] endswith c and process.command_line contains ' >& '",
  ],
  [
    'exceptions of what is usual',
    'event.action = connect and not user.id = 0 and not user.id = 1 and not process.parent.name = systemd',
  ],
  [
    'a network, and not another',
    'event.action = connect and destination.ip cidr 10.0.0.0/8 and not destination.ip cidr 10.0.0.0/24',
  ],
  ['a glob without capitals', 'event.action = exec and process.command_line iglob "*curl*|*sh*"'],
  [
    'a comparison of two fields',
    'event.action = rename and file.target_path startswith val(file.path) and file.path startswith /srv/',
  ],
  ['the program that wrote the executable', 'event.action = exec and process.exec.writer.name = curl'],
  [
    'a container that runs an image',
    'event.action = exec and container.image.repository = shop/web and container.entry = exec',
  ],
  ['a line of a log', 'event.action = ssh-login and event.outcome = failure and user.name = admin'],
  ['a name of an address', 'event.action = connect and destination.domain = pool.example.org'],
  [
    'alternatives that exclude each other',
    'event.action = exec and (process.name = a or process.name = b) and not (process.name = a)',
  ],
  ['an environment variable', 'event.action = exec and process.env_vars[LD_PRELOAD] startswith /tmp/'],
  ['a length', 'event.action = exec and len(process.command_line) > 200'],
  ['a failed call', 'event.action = open and file.path = /etc/shadow and error.code = EACCES'],
  [
    'a number of different values',
    'event.action = exec and process.name in (id, whoami, uname, hostname)',
    '  threshold: { distinct: process.name, at_least: 4, by: [process.parent.entity_id], within: 10s }\n',
  ],
  [
    'a sum',
    'event.action = flow and network.direction = egress',
    '  threshold: { sum: source.bytes, at_least: 1000000, by: [process.executable], within: 1h }\n',
  ],
  [
    'calls at regular times',
    'event.action = connect and destination.port = 443',
    '  threshold: { regular: 8, every: 2s, by: [destination.ip], within: 1h }\n',
  ],
  [
    'a combination that is new',
    'event.action = connect and process.name = nginx',
    '  first_seen: { by: [destination.port], within: 14d, learn: 1d }\n',
  ],
  [
    'the end of a window',
    'event.action = datagram and network.direction = egress',
    '  summary: { average: source.bytes, above: 200, by: [process.executable], within: 5m }\n',
  ],
  [
    'steps joined by a process and its child',
    'sequence with maxspan=1m [ event.action = exec and process.name = bash ] by process.entity_id [ event.action = connect ] by process.parent.entity_id',
  ],
  [
    'steps joined by a file',
    'sequence with maxspan=1m [ event.action = open and file.open.write and file.path startswith /tmp/ ] by file.path [ event.action = exec and process.executable endswith .elf ] by process.executable',
  ],
  [
    'a step that must not follow',
    'sequence by host.id with maxspan=1m [ event.action = exec and process.name = systemctl ] ![ event.action = exec and process.name = rsyslogd ]',
  ],
];

describe('a witness is found for', () => {
  for (const [title, condition, more] of FOUND)
    it(title, async () => {
      const witnessed = witnessOf(condition, more);
      assert.equal(witnessed.witness.kind, 'witness', JSON.stringify(witnessed.witness));
      const test = { name: 'w.test.yaml', text: witnessTests([witnessed]) };
      const { results, faults } = await runTests([test], [sourceOf(ruleOf(condition, more))]);
      assert.deepEqual([faults, results.map(({ failures }) => failures)], [[], [[]]]);
    });
});

const NONE: readonly (readonly [title: string, condition: string, reason: RegExp])[] = [
  [
    'a name and an executable that differ',
    'event.action = exec and process.name = a and process.executable = /usr/bin/b',
    /process\.executable = '\/usr\/bin\/b' contradicts process\.name = 'a'/,
  ],
  [
    'two starts of one text',
    'event.action = open and file.path startswith /etc/ and file.path startswith /tmp/',
    /file\.path startswith '\/etc\/' contradicts file\.path startswith '\/tmp\/'/,
  ],
  [
    'bounds that exclude each other',
    'event.action = connect and destination.port > 100 and destination.port < 50',
    /destination\.port > 100 contradicts destination\.port < 50/,
  ],
  [
    'alternatives of which none is possible',
    'event.action = exec and (process.name = a and process.executable = /b/c or process.name startswith x and process.name startswith y)',
    /contradicts process\.name = 'a'; process\.name startswith 'x' contradicts/,
  ],
];

describe('the parts that exclude each other are named for', () => {
  for (const [title, condition, reason] of NONE)
    it(title, () => {
      const { witness } = witnessOf(condition);
      assert.equal(witness.kind, 'none');
      assert.match(witness.kind === 'none' ? witness.reasons.join() : '', reason);
    });
});

describe('a search that is bounded', () => {
  it('says that it has not decided', () => {
    const parts = Array.from({ length: 40 }, (_, i) => `(hour(@timestamp) = 30 or minute(@timestamp) = ${70 + i})`);
    assert.equal(witnessOf(`event.action = exec and ${parts.join(' and ')}`).witness.kind, 'undecided');
  });

  it('writes out no text of a length that no event has', () => {
    for (const condition of [
      'len(process.command_line) > 1000000000',
      'len(process.command_line) = -5',
      'len(process.args) > 100000000',
      'process.args_length > 90000000000',
    ])
      assert.equal(witnessOf(`event.action = exec and ${condition}`).witness.kind, 'undecided', condition);
  });

  it('proves nothing from values that it chose', () => {
    const { witness } = witnessOf(
      'event.action = unlink and file.path = val(process.executable) and file.path startswith /tmp/ and process.name = x',
    );
    assert.equal(witness.kind, 'witness');
  });

  it('plays what it found: only a rule that fired has a witness', () => {
    const judge = new Judge([sourceOf(ruleOf('event.action = exec and process.name = a'))]);
    const found = new Witnesses(judge).of(judge.rules.rules[0]!);
    assert.deepEqual(found, {
      kind: 'witness',
      events: [{ 'event.action': 'exec', 'process.executable': '/usr/bin/a' }],
    });
  });
});
