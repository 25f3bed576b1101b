import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTestFile, runTests } from '../src/index.ts';

const RULES = `- rule: Shell of a server
  condition: event.action = exec and process.name = sh and process.parent.name = nginx
  priority: error
  tags: [execution, T1059.004]
- rule: Program of a container
  condition: event.action = exec and container.id exists and process.name != server
  priority: notice
  tags: [discovery, T1613]
- rule: Burst
  condition: event.action = unlink
  threshold: { count: 6, by: [process.entity_id], within: 10s }
- rule: Other process read
  condition: event.action = ptrace and target.process.name = sshd
`;

/** Returns the failures of each test, by title. */
async function failuresOf(text: string): Promise<Record<string, string[]>> {
  const { results, faults } = await runTests([{ name: 'a.test.yaml', text }], [{ name: 'rules.yaml', text: RULES }]);
  assert.deepEqual(faults, []);
  return Object.fromEntries(
    results.map(({ test, failures }) => [
      test.title,
      failures.map(({ of, expected, actual }) => `${of}: ${expected}, not ${actual}`),
    ]),
  );
}

describe('a test of rules', () => {
  it('starts processes by their command lines, each as the child of the one before', async () => {
    const failures = await failuresOf(`
rule: Shell of a server
tests:
  - { test: line, events: { exec: "/bin/sh -c 'id -u'", parent: [systemd, /usr/sbin/nginx] }, expect: alert }
  - { test: text alone, events: /bin/sh -c id, expect: none }
  - test: a shell that an event implies is seen too
    events: { event.action: unlink, process: [systemd, /usr/sbin/nginx, /bin/sh -c rm], file.path: /tmp/x }
    expect: alert
`);
    assert.deepEqual(failures, { line: [], 'text alone': [], 'a shell that an event implies is seen too': [] });
  });

  it('names processes of the file and of earlier events', async () => {
    const failures = await failuresOf(`
- { process: web, exec: /usr/sbin/nginx -g x, parent: systemd }
- rule: Shell of a server
  tests:
    - { test: of the file, events: { exec: /bin/sh, parent: web }, expect: alert }
    - { test: of an event, events: [{ exec: /usr/sbin/nginx, as: n }, { exec: /bin/sh, parent: n }], expect: alert }
    - { test: executed by itself, events: [{ exec: /usr/sbin/nginx, as: n }, { exec: /bin/sh, process: n }], expect: none }
`);
    assert.deepEqual(failures, { 'of the file': [], 'of an event': [], 'executed by itself': [] });
  });

  it('repeats a group of events, and counts in it', async () => {
    const failures = await failuresOf(`
rule: Burst
tests:
  - test: three times two
    events:
      - { exec: /bin/x, as: x }
      - { repeat: 3, events: [{ event.action: unlink, process: x, file.path: "/a/{n}" }, { event.action: unlink, process: x, file.path: "/b/{n}" }] }
    expect: alert
  - test: twice two
    events:
      - { exec: /bin/x, as: x }
      - { repeat: 2, events: [{ event.action: unlink, process: x, file.path: "/a/{n}" }, { event.action: unlink, process: x, file.path: "/b/{n}" }] }
    expect: none
`);
    assert.deepEqual(failures, { 'three times two': [], 'twice two': [] });
  });

  it('expects the rules and tactics of a whole story, from a priority on', async () => {
    const failures = await failuresOf(`
rules: all
tests:
  - test: both rules
    events: [{ exec: /bin/sh, parent: [systemd, /usr/sbin/nginx] }, { exec: /bin/id, parent: container }]
    expect: { rules: [Shell of a server, Program of a container], tactics: [execution, discovery] }
  - test: one of them is serious
    events: [{ exec: /bin/sh, parent: [systemd, /usr/sbin/nginx] }, { exec: /bin/id, parent: container }]
    expect: { rules: [Shell of a server], from: warning }
  - test: a wrong expectation
    events: { exec: /bin/id, parent: container }
    expect: { rules: [Shell of a server] }
`);
    assert.deepEqual(failures, {
      'both rules': [],
      'one of them is serious': [],
      'a wrong expectation': ['rules: Shell of a server, not Program of a container'],
    });
  });
});

describe('a test file', () => {
  for (const [text, message] of [
    ['rule: r\ntests: [{ test: x, events: { exec: /bin/x, parent: shel }, expect: none }]', /called 'shel'.*'shell'/],
    ['rule: r\ntests: [{ test: x, events: { exec: "sh \'" }, expect: none }]', /a quote is not closed/],
    ['rule: r\ntests: [{ test: x, events: { repeat: 2, process: sshd, events: [] }, expect: none }]', /'process'/],
    ['rule: r\ntests: [{ test: x, events: { agent: starts }, expect: none }]', /agent: stops/],
    ['rule: r\ntests: [{ test: x, events: /bin/x, expect: { rules: [r] } }]', /of all or of recommended rules/],
    ['rules: some\ntests: [{ test: x, events: /bin/x, expect: none }]', /all or recommended/],
    ['rules: all\ntests: [{ test: x, events: /bin/x, expect: { from: loud } }]', /'from' is a priority/],
    ['- { process: a, parent: b }\n- { process: b, parent: a }', /no process is called 'b'/],
    ['- { process: a, exec: /bin/a }\n- { process: a, exec: /bin/b }', /defined twice/],
    ['- { process: a }', /a process needs 'exec'/],
    ['- { process: a, exec: /bin/a, file.path: /x }', /does not describe a process/],
  ] as const)
    it(`with ${JSON.stringify(text)} is refused`, () => {
      const { tests, faults } = readTestFile('x.test.yaml', text);
      assert.deepEqual(tests, []);
      assert.match(faults.map((fault) => fault.message).join('\n'), message);
    });
});
