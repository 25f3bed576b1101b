import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogue } from '@ringfence/fields';
import { SyntheticHost } from '@ringfence/synthetic';
import { recordingEntry, recordingHeader } from '@ringfence/wire';
import { runTests } from '../src/test.ts';
import { readTestFile } from '../src/test-file.ts';
import { testFileSchema } from '../src/test-schema.ts';

const RULES = `- rule: Shell of a server
  condition: event.action = exec and process.name = sh and process.parent.name = nginx
  output: "%process.command_line by %process.parent.name as %user.name"
`;
const rules = [{ name: 'rules.yaml', text: RULES }];

async function run(tests: string) {
  return await runTests([{ name: 'a.test.yaml', text: tests }], rules);
}

describe('a test file', () => {
  test('passes if each test raises the expected alerts', async () => {
    const { results, faults } = await run(`rule: Shell of a server
tests:
  - test: fires
    events: { event.action: exec, process.command_line: sh -c id, process.parent.name: nginx, user.name: ann }
    expect: { alerts: 1, output: sh -c id by nginx as ann, priority: warning }
  - test: is quiet
    events: [{ event.action: exec, process.name: sh, process.parent.name: sshd }]
    expect: none
`);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      results.map(({ failures }) => failures),
      [[], []],
    );
  });

  test('with a failed test reports the expected and actual alerts, and the closest event', async () => {
    const { results } = await run(`rule: Shell of a server
tests:
  - test: of apache
    events:
      - { event.action: exec, process.name: ls, process.parent.name: nginx }
      - { event.action: exec, process.name: sh, process.parent.name: apache2 }
    expect: alert
`);
    assert.deepEqual(results[0]?.failures, [{ of: 'alerts', expected: 'one or more', actual: 'none' }]);
    const { number, explanation } = results[0]?.nearest ?? {};
    assert.deepEqual([number, explanation?.parts.map(({ holds }) => holds)], [1, [true, false, true]]);
  });

  test('that is malformed is reported with line and column', async () => {
    const text = 'rule: Shell of a server\ntests:\n  - { test: t, events: [{ proces.name: sh }], expect: none }\n';
    const { results, faults } = await run(text);
    assert.deepEqual(results, []);
    assert.deepEqual(
      faults.map(({ file, line, column, message }) => [file, line, column, message]),
      [['a.test.yaml', 3, 27, "unknown field 'proces.name'. Did you mean 'process.name'?"]],
    );
  });

  test('replays recordings in its folder', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
    const host = new SyntheticHost();
    host.spawn(host.spawn(host.init, '/usr/sbin/nginx'), '/usr/bin/sh');
    const recording = [recordingHeader(new Map([[host.hostId, host.key.publicKey]])), recordingEntry(host.batch())];
    writeFileSync(join(dir, 'attack.rec'), Buffer.concat(recording));
    const text = `tests:\n  - { test: recorded, rule: Shell of a server, recording: attack.rec, expect: 1 }\n`;
    const { results } = await runTests([{ name: join(dir, 'a.test.yaml'), text }], rules);
    rmSync(dir, { recursive: true });
    assert.deepEqual(
      results.map(({ failures, alerts }) => [failures, alerts.length]),
      [[[], 1]],
    );
  });

  test('with an unknown rule fails and names the rule', async () => {
    const { results } = await run(
      'tests:\n  - { test: t, rule: Missing, events: [{ event.action: exec }], expect: none }\n',
    );
    assert.match(results[0]?.failures[0]?.actual ?? '', /there is no rule 'Missing'/);
  });

  test('of a rule with an error fails and shows the error', async () => {
    const text = 'tests:\n  - { test: t, rule: Broken, events: [{ event.action: exec }], expect: none }\n';
    const broken = { name: 'b.yaml', text: '- rule: Broken\n  condition: process.nme = sh\n' };
    const { results } = await runTests([{ name: 'a.test.yaml', text }], [...rules, broken]);
    assert.equal(
      results[0]?.failures[0]?.actual,
      "the rule 'Broken' has an error: b.yaml:2:14: unknown field 'process.nme'. Did you mean 'process.name'?",
    );
  });

  test('with a missing or broken recording fails that test only', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
    const host = new SyntheticHost();
    host.spawn(host.init, '/usr/bin/sh');
    const header = recordingHeader(new Map([[host.hostId, host.key.publicKey]]));
    const whole = recordingEntry(host.batch());
    whole.fill(0xff, 40, 80);
    writeFileSync(join(dir, 'broken.rec'), Buffer.concat([header, whole]));
    writeFileSync(join(dir, 'cut.rec'), Buffer.concat([header, whole.subarray(0, 100)]));
    const testOf = (recording: string): string => `  - { test: ${recording}, recording: ${recording}, expect: none }\n`;
    const last = '  - { test: last, events: [{ event.action: exec, process.name: ls }], expect: none }\n';
    const recordings = ['missing.rec', 'broken.rec', 'cut.rec', '.'];
    const text = `rule: Shell of a server\ntests:\n${recordings.map(testOf).join('')}${last}`;
    const { results } = await runTests([{ name: join(dir, 'a.test.yaml'), text }], rules);
    rmSync(dir, { recursive: true });
    assert.deepEqual(
      results.map(({ failures }) => failures.map(({ of: subject, expected }) => `${subject} ${expected}`)),
      [...recordings.map((name) => [`recording ${name}`]), []],
    );
  });

  for (const [text, message] of [
    ['tests: 5', /1:8 expected 'tests: \[ … \]'/],
    ['a: b', /1:1 unknown key 'a'/],
    ['tests: [', /not valid YAML/],
    ['rule: r\ntests:\n  - { tests: x, events: [], expect: none }', /3:7 unknown key 'tests'. Did you mean 'test'\?/],
    ['rule: r\ntests:\n  - { test: x, expect: none }', /either 'events' or 'recording'/],
    [
      'rule: r\ntests:\n  - { test: x, events: [{ event.action: exec, x.y: 1 }], expect: none }',
      /3:47 unknown field 'x\.y'/,
    ],
    ['rule: r\ntests:\n  - { test: x, events: [{ event.action: exec }], expect: some }', /'expect' is alert, none/],
    ['tests:\n  - { test: x, events: [], expect: none }', /needs 'rule'/],
    ['a: &a [x, x]\nb: &b [*a, *a]\ntests: [*b]', /unknown key/],
  ] as const) {
    test(`${JSON.stringify(text)} is rejected with the position of the error`, () => {
      const { tests, faults } = readTestFile('x.test.yaml', text);
      assert.equal(tests.length, 0);
      assert.match(faults.map((fault) => `${fault.line}:${fault.column} ${fault.message}`).join('\n'), message);
    });
  }
});

test('the JSON Schema of test files contains every field', () => {
  const schema = JSON.stringify(testFileSchema());
  for (const { name } of catalogue.fields) assert.ok(schema.includes(`"${name}"`), name);
});
